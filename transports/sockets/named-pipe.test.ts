import { expect, test } from "vitest";
import { namedPipe } from "./named-pipe.ts";

const place = { directory: "/nowhere", prefix: "ipcmark-0123456789abcdef" };
const handler = { onOpen() {}, onMessage() {}, onWritable() {}, onClose() {} };

test("addresses are names in the pipe file system that begin with the run's prefix and differ", async () => {
  const [a, b] = [await namedPipe.allocate(place), await namedPipe.allocate(place)];
  expect(a.name).toMatch(/^\\\\\.\\pipe\\ipcmark-0123456789abcdef-[0-9a-f]{8}$/);
  expect(a.name).not.toBe(b.name);
});

// What it does on Windows is checked by `npm run test:windows`.
test.runIf(process.platform !== "win32")("elsewhere it reports why it is unavailable, and does not try", async () => {
  const answer = await namedPipe.probe();
  expect(answer).toMatchObject({ available: false, reason: expect.stringContaining("Windows only") });
  const address = await namedPipe.allocate(place);
  await expect(namedPipe.event?.listen(address, handler)).rejects.toMatchObject({ code: "IPC_UNSUPPORTED" });
  await expect(namedPipe.event?.connect(address, handler)).rejects.toMatchObject({ code: "IPC_UNSUPPORTED" });
  expect(await namedPipe.residue(address)).toEqual([]);
});
