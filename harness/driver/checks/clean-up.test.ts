import { expect, test } from "vitest";
import type { LaunchedRawClient, Transport } from "../../../transports/contract/transport.ts";
import { stdio } from "../../../transports/pipes/stdio.ts";
import type { DriverStart } from "../../process/messages.ts";
import { ownTemporaryDirectory } from "../../testing/temporary-directory.ts";
import { CleanUp } from "./clean-up.ts";
import { Workbench } from "./context.ts";

const directory = ownTemporaryDirectory();
const never = (): Promise<never> => new Promise(() => {});

test("a step that never settles is named, and the steps after it are taken", async () => {
  const cleanUp = new CleanUp(20);
  await cleanUp.step("nothing", () => Promise.reject(new Error("refused")));
  expect(cleanUp.obstacle).toBeUndefined();
  await cleanUp.step("close()", never);
  let taken = false;
  await cleanUp.step("sweep()", () => {
    taken = true;
    return never();
  });
  expect(taken).toBe(true);
  expect(cleanUp.obstacle).toBe("the clean-up after it hung: close() did not settle within 0.02 s");
});

// Issue 19: a check over two streams as one hung for 9 minutes, since the end of its raw client never came.
test("a check ends although its raw client never does, and its result names that", { timeout: 10_000 }, async () => {
  const raw: LaunchedRawClient = {
    pid: process.pid,
    closed: never(),
    write: never,
    [Symbol.asyncDispose]: never,
  };
  const transport: Transport = { ...stdio, launchRaw: async () => raw };
  const place = { directory: directory(), prefix: "ipcmark-0000000000000000" };
  const start = { transport: { id: stdio.id, module: null }, place } as unknown as DriverStart;
  const { signal } = new AbortController();
  const bench = new Workbench({ transport, start, signal, send: () => {}, shared: undefined });
  await bench.launchRaw({ onOpen() {}, onMessage() {}, onWritable() {}, onClose() {} });
  expect(await bench.cleanUp()).toMatch(/^the clean-up after it hung: the end of a raw client did not settle/);
});
