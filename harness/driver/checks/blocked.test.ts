import { expect, test } from "vitest";
import type { EventTransport, Transport } from "../../../transports/contract/transport.ts";
import { unix } from "../../../transports/sockets/unix.ts";
import type { FromDriver } from "../../process/messages.ts";
import { reportCalls } from "./blocked.ts";
import { accountOf } from "./execute-checks.ts";

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
  expect(accountOf(thrown, thrown).reason).toBe("uncaught exception: no such option");
  expect(accountOf(late, undefined).reason).toBe(late.message);
});
