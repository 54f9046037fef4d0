import { expect, test } from "vitest";
import { IpcError } from "../contract/errors.ts";
import { Collector } from "../testing/harness.ts";
import { type CallDone, UnaryClient, type UnaryClientOptions } from "./unary.ts";

const MESSAGE = Buffer.from("request");
/** Time that no test takes: a test that waits for it has failed. */
const TOO_LONG_MS = 10 * 60_000;

/** A client whose calls end when the test lets them. */
function open(confirm?: NonNullable<UnaryClientOptions["confirm"]>) {
  const calls: CallDone[] = [];
  const handler = new Collector();
  let released = false;
  const client = new UnaryClient({
    transport: "test",
    handler,
    maxMessageBytes: 100,
    maxCalls: 10,
    call: (_message, done) => void calls.push(done),
    ...(confirm === undefined ? {} : { confirm }),
    release() {
      released = true;
    },
  });
  client.open();
  return { client, calls, handler, released: () => released };
}

test("close waits for every reply, and cancels nothing before", async () => {
  const asked = Promise.withResolvers<void>();
  const { client, calls, released } = open(() => asked.resolve());
  client.send(MESSAGE);
  client.send(MESSAGE);
  const closing = client.close(TOO_LONG_MS);
  calls[0]?.(undefined, MESSAGE);
  await asked.promise;
  expect(released()).toBe(false);
  calls[1]?.(undefined, MESSAGE);
  await closing;
  expect(released()).toBe(true);
});

test("close fails with IPC_TIMEOUT when a request is neither answered nor read", async () => {
  const { client, handler, released } = open(() => {});
  client.send(MESSAGE);
  await expect(client.close(20)).rejects.toMatchObject({ code: "IPC_TIMEOUT" });
  expect(released()).toBe(true);
  expect(handler.closes).toBe(1);
});

test("close resolves when the server is known to have read what it does not answer", async () => {
  const { client, handler } = open((confirmed) => confirmed());
  client.send(MESSAGE);
  await client.close(TOO_LONG_MS);
  expect(await handler.closed).toBeUndefined();
});

test("a call that fails while the connection closes does not cancel the others", async () => {
  const { client, calls, handler, released } = open();
  client.send(MESSAGE);
  client.send(MESSAGE);
  const closing = client.close(TOO_LONG_MS);
  calls[0]?.(new IpcError("IPC_PEER_LOST", "test: refused"), undefined);
  expect(released()).toBe(false);
  calls[1]?.(undefined, MESSAGE);
  await closing;
  expect(await handler.closed).toMatchObject({ code: "IPC_PEER_LOST" });
});
