import { shortageIn } from "../../transports/contract/errors.ts";
import type { Transport } from "../../transports/contract/transport.ts";
import { failureOf } from "../process/failure.ts";
import type { ClientWork, FromDriver } from "../process/messages.ts";
import type { RpcClient } from "../rpc/client.ts";
import { connectRpc } from "../rpc/connect.ts";
import { withEventFace } from "./checks/event-face.ts";

/** Runs a client process of a check: many connections, unique request bodies, each reply compared with its own. */
export async function runCheckClient(
  plain: Transport,
  work: ClientWork,
  send: (message: FromDriver) => void,
  allConnected: () => Promise<unknown>,
): Promise<void> {
  const transport = await withEventFace(plain);
  const opened = await Promise.allSettled(
    Array.from({ length: work.connections }, () => connectRpc(transport, work.address)),
  );
  const clients = opened.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const refused = opened.find(({ status }) => status === "rejected") as PromiseRejectedResult | undefined;
  // Clients in several processes are concurrent only if all are connected before the first one begins.
  send({
    type: "connected",
    connections: clients.length,
    ...(refused === undefined ? {} : { refused: failureOf(refused.reason) }),
  });
  await allConnected();
  if (refused !== undefined) {
    await Promise.allSettled(clients.map((client) => client.close()));
    return;
  }
  let completed = 0;
  let crossed = 0;
  let failed = 0;
  let firstError: string | undefined;
  let shortage: string | undefined;

  async function run(client: RpcClient, connection: number): Promise<void> {
    // Stops after one failure: it proves enough, and each further one may take until its deadline.
    for (let request = 0; request < work.requestsEach && crossed + failed === 0; request++) {
      const body = uniqueBody(work.bodyBytes, connection, request);
      try {
        const reply = await client.request(body);
        if (Buffer.compare(reply, body) === 0) completed++;
        else crossed++;
      } catch (error) {
        failed++;
        firstError ??= error instanceof Error ? error.message : String(error);
        shortage ??= shortageIn(error)?.message;
      }
    }
  }

  await Promise.all(clients.map(run));
  const strays = clients.reduce((sum, client) => sum + client.unexpected, 0);
  // The late reply to a request that timed out is unexpected too, but has not reached another request.
  crossed += Math.max(0, strays - failed) + clients.reduce((sum, client) => sum + client.corrupted, 0);
  await Promise.all(clients.map((client) => client.close()));
  send({
    type: "client",
    completed,
    crossed,
    failed,
    ...(firstError === undefined ? {} : { firstError }),
    ...(shortage === undefined ? {} : { shortage }),
  });
}

/** Makes a body from process, connection and number, so that a reply to another request can be recognized. */
function uniqueBody(bytes: number, connection: number, request: number): Uint8Array {
  const body = Buffer.alloc(Math.max(12, bytes), request & 0xff);
  body.writeUInt32LE(process.pid, 0);
  body.writeUInt32LE(connection, 4);
  body.writeUInt32LE(request, 8);
  return body;
}
