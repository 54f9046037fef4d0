import { expect, it, vi } from "vitest";

vi.stubEnv("IPCMARK_FFI", "node");
const present = process.platform === "linux" && process.getBuiltinModule("node:ffi") !== undefined;

if (present) (await import("./cases.ts")).posixCases("node:ffi");
it.skipIf(present)("without node:ffi the wrapper imports and says what to do", async () => {
  const { posixAvailability } = await import("./index.ts");
  expect(posixAvailability()).toMatchObject({ available: false });
});
