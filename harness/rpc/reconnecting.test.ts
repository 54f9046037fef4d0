import { expect, test } from "vitest";
import { IpcError } from "../../transports/contract/errors.ts";
import type { RpcClient } from "./client.ts";
import { ReconnectingRpc } from "./reconnecting.ts";

/** A connection that gives the stated answers in turn; each is a reply or an error. */
function connection(...answers: (Uint8Array | IpcError)[]): RpcClient {
  let lose: (error: IpcError | undefined) => void = () => {};
  const closed = new Promise<IpcError | undefined>((resolve) => {
    lose = resolve;
  });
  const fake = {
    closed,
    connection: { close: async () => lose(undefined) },
    async request() {
      const answer = answers.shift() ?? new IpcError("IPC_TIMEOUT", "nothing more");
      if (answer instanceof Error) throw answer;
      return answer;
    },
    async close() {},
  };
  return fake as unknown as RpcClient;
}

const lost = (): IpcError => new IpcError("IPC_PEER_LOST", "lost");
const reply = Uint8Array.of(1);

test("an idempotent request is repeated on a new connection", async () => {
  const connections = [connection(lost()), connection(reply)];
  const client = new ReconnectingRpc(async () => connections.shift() as RpcClient);
  expect(await client.request(reply, { idempotent: true })).toBe(reply);
  expect(client.connections).toBe(2);
});

test("any other request fails with the loss and is sent once", async () => {
  const connections = [connection(lost()), connection(reply)];
  const client = new ReconnectingRpc(async () => connections.shift() as RpcClient);
  await expect(client.request(reply, { idempotent: false })).rejects.toMatchObject({ code: "IPC_PEER_LOST" });
  expect(client.connections).toBe(1);
});

test("what the server refused is not repeated, idempotent or not", async () => {
  const refused = connection(new IpcError("IPC_TOO_LARGE", "too large"), reply);
  const client = new ReconnectingRpc(async () => refused);
  await expect(client.request(reply, { idempotent: true })).rejects.toMatchObject({ code: "IPC_TOO_LARGE" });
});

test("attempts to connect back off, and end with the request's deadline", async () => {
  const startedMs = performance.now();
  const client = new ReconnectingRpc(async () => {
    throw lost();
  });
  const outcome = client.request(reply, { idempotent: true, timeoutMs: 300 });
  await expect(outcome).rejects.toMatchObject({ code: "IPC_TIMEOUT" });
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(299);
  // Without back-off there would be thousands. Doubling from 10 ms, at least half of each, gives no more than seven,
  // and then one for each timer that fires a moment before the deadline.
  expect(client.failedAttempts).toBeLessThan(15);
});
