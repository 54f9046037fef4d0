import { expect, test } from "vitest";
import { IpcError } from "../../../transports/contract/errors.ts";
import type { EventTransport, Transport } from "../../../transports/contract/transport.ts";
import { unix } from "../../../transports/sockets/unix.ts";
import type { FromDriver } from "../../process/messages.ts";
import type { RunningPeer } from "../peers/running-peer.ts";
import { reportCalls, silenceOfProgram } from "./blocked.ts";
import { accountOf } from "./execute-checks.ts";

function program(request: () => Promise<unknown>): ReadonlySet<RunningPeer> {
  const client = { request, connection: { close: async () => undefined } };
  return new Set([{ info: { language: "program" }, connect: async () => client } as unknown as RunningPeer]);
}

test("a user's program is silent if a request is late, not if it is answered or the program has ended", async () => {
  const failing = (code: "IPC_TIMEOUT" | "IPC_PEER_LOST") => (): Promise<never> =>
    Promise.reject(new IpcError(code, "for the test"));
  expect(await silenceOfProgram(program(failing("IPC_TIMEOUT")))).toMatch(/^answers no request: none within 3 s/);
  expect(await silenceOfProgram(program(failing("IPC_PEER_LOST")))).toBeUndefined();
  expect(await silenceOfProgram(program(async () => new Uint8Array(16)))).toBeUndefined();
  expect(await silenceOfProgram(new Set())).toBeUndefined();
});

test("calls of a transport are reported before they begin and when they return, also of a frozen object", async () => {
  const frozen: Transport = Object.freeze({ ...unix, event: Object.freeze({ ...(unix.event as EventTransport) }) });
  const sent: FromDriver[] = [];
  const reporting = reportCalls(frozen, (message) => sent.push(message));
  const address = await reporting.allocate({ directory: "/nowhere", prefix: "none" });
  await expect(
    reporting.event?.connect(address, { onOpen() {}, onMessage() {}, onWritable() {}, onClose() {} }),
  ).rejects.toMatchObject({ code: "IPC_PEER_LOST" });
  expect(sent).toEqual([
    { type: "alive", call: "allocate()" },
    { type: "alive" },
    { type: "alive", call: "connect()" },
    { type: "alive" },
  ]);
  expect(reporting.capabilities).toBe(unix.capabilities);
});

test("an exception in a callback is told beside the failure of its check", () => {
  const [late, thrown] = [new Error("connect: nothing after 8000 ms"), new Error("no such option\nat all")];
  const { reason, error } = accountOf(late, thrown);
  expect(reason).toBe("connect: nothing after 8000 ms; meanwhile a callback threw: no such option");
  expect(error).toContain("at all");
  expect(accountOf(thrown, thrown).reason).toBe("no such option");
  expect(accountOf(late, undefined).reason).toBe(late.message);
});
