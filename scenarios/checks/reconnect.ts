import { isIpcError } from "../../transports/contract/errors.ts";
import { type Check, Method, type ServerStatistics } from "../check.ts";
import { hasAddress, holdsRequests, isWatched, replies } from "../kit/conditions.ts";
import { expect, expectSame, within } from "../kit/expect.ts";
import { pattern } from "../kit/messages.ts";

const TIMEOUT_MS = 8000;
const ONCE_TIMEOUT_MS = 1000;

export const reconnect: Check = {
  id: "reconnect",
  title: "When a server comes back, its client reconnects and repeats idempotent requests only",
  why: "Clients without back-off overload a restarting server; a repeated payment is worse than a failed one.",
  timeoutMs: 30_000,
  typicalMs: 800,
  needs: [replies, hasAddress, isWatched, holdsRequests],
  async run(context) {
    const { connects, persistent } = context.transport.capabilities;
    const first = await context.startPeer();
    const client = await context.reconnecting(first);
    expectSame("the first reply", await client.request(pattern(16, 1), { idempotent: false }), pattern(16, 1));
    const isProgram = context.transport.program !== undefined;
    if (isProgram) await first.freeze();
    // Never answered: it is in flight when its server dies, and the client cannot find out if it was handled.
    const once = client
      .request(pattern(16, 2), {
        idempotent: false,
        method: isProgram ? Method.echo : Method.ignore,
        timeoutMs: ONCE_TIMEOUT_MS,
      })
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    await first.kill("SIGKILL");
    const refusal = await within("the request that must not be repeated", once);
    expect(isIpcError(refusal), "a request in flight when its server died did not fail");
    const again = client.request(pattern(16, 3), { idempotent: true, timeoutMs: TIMEOUT_MS });
    again.catch(() => undefined);
    await context.startPeer({ address: first.address });
    expectSame("the reply of the server that came back", await again, pattern(16, 3));
    // If connecting is lazy, the mechanism itself finds the restarted server, and the connection stays the same.
    if (connects === "checked") expect(client.connections >= 2, "the client did not connect again");
    if (connects === "checked" && !persistent && !isProgram) {
      const asked = await client.request(new Uint8Array(0), { idempotent: true, method: Method.statistics });
      const { requests } = JSON.parse(new TextDecoder().decode(asked)) as ServerStatistics;
      expect(requests === 2, `the server that came back got ${requests - 2} requests that were not for it`);
    }
    context.note("failedAttempts", client.failedAttempts);
    context.note("connections", client.connections);
  },
};
