import { expect, it, vi } from "vitest";

vi.stubEnv("IPCMARK_FFI", "ffi-rs");
const linux = process.platform === "linux";

if (linux) (await import("./testing/cases.ts")).posixCases("ffi-rs");
it.skipIf(linux)("elsewhere the wrapper imports and states why it is not available", async () => {
  const { posixAvailability } = await import("./index.ts");
  expect(posixAvailability()).toMatchObject({ available: false });
});
