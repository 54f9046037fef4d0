import { isIpcError } from "../../transports/contract/errors.ts";
import { type Check, Method } from "../check.ts";
import { canFreeze, hasMethods, ownProcess, replies } from "../kit/conditions.ts";
import { expect, meetsDeadline, within } from "../kit/expect.ts";
import { pattern } from "../kit/messages.ts";
import { expectEcho } from "../kit/peer.ts";

const REQUEST_TIMEOUT_MS = 300;
const CLOSE_TIMEOUT_MS = 300;

export const stalledServer: Check = {
  id: "stalled-server",
  title: "While a server hangs, each request fails at its deadline; when the server wakes, it serves on",
  why: "A client that waits on receive without a limit hangs with its server, and so do its own users.",
  alone: true,
  typicalMs: 450,
  needs: [replies, hasMethods],
  async run(context) {
    const client = await context.connect(await context.startPeer());
    await client.request(pattern(16, 1));
    const ignored = await meetsDeadline("a request that is never answered", REQUEST_TIMEOUT_MS, () =>
      client.request(pattern(16, 2), { method: Method.ignore, timeoutMs: REQUEST_TIMEOUT_MS }),
    );
    expectTimedOut("a request that is never answered", ignored.result);
    await expectEcho("the request after it", client, pattern(16, 3));
    context.note("requestTimeoutMs", REQUEST_TIMEOUT_MS);
    context.note("gaveUpAfterMs", Math.round(ignored.tookMs));
  },
};

export const frozenServer: Check = {
  id: "frozen-server",
  title: "While a server process is stopped, requests and close end at their deadline; a late reply reaches no request",
  why: "A process in a debugger, on a dead disk or swapped out neither answers nor dies.",
  alone: true,
  typicalMs: 600,
  needs: [replies, ownProcess, canFreeze],
  async run(context) {
    const peer = await context.startPeer();
    const client = await context.connect(peer);
    await client.request(pattern(16, 1));
    await peer.freeze();
    const late = await meetsDeadline("a request to a stopped server", REQUEST_TIMEOUT_MS, () =>
      client.request(pattern(16, 2), { timeoutMs: REQUEST_TIMEOUT_MS }),
    );
    expectTimedOut("a request to a stopped server", late.result);
    peer.thaw();
    await expectEcho("the request after it woke", client, pattern(16, 3));
    expect(client.corrupted === 0, "the late reply arrived damaged");
    await peer.freeze();
    const closing = await meetsDeadline("close of a connection to a stopped server", CLOSE_TIMEOUT_MS, () =>
      client.connection.close(CLOSE_TIMEOUT_MS),
    );
    const { result } = closing;
    const settledWell =
      result.status === "fulfilled" || (isIpcError(result.reason) && result.reason.code === "IPC_TIMEOUT");
    expect(settledWell, `close failed with ${String(result.status === "rejected" && result.reason)}`);
    peer.thaw();
    await within("the stopped server's end", peer.kill("SIGKILL"));
    context.note("gaveUpAfterMs", Math.round(late.tookMs));
    context.note("closedAfterMs", Math.round(closing.tookMs));
  },
};

function expectTimedOut(what: string, result: PromiseSettledResult<unknown>): void {
  expect(result.status === "rejected", `${what} was answered`);
  const code = result.status === "rejected" && isIpcError(result.reason) ? result.reason.code : String(result);
  expect(code === "IPC_TIMEOUT", `${what} failed with ${code}`);
}
