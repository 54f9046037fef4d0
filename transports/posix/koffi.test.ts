import { expect, it, vi } from "vitest";

vi.stubEnv("IPCMARK_FFI", "koffi");
const { posixAvailability } = await import("./index.ts");
// An optional package: `npm ci --omit=optional` leaves it out.
const state = posixAvailability();

if (state.available) (await import("./testing/cases.ts")).posixCases("koffi");
it.skipIf(state.available)("without koffi the wrapper imports and states what to do", () => {
  expect(state).toMatchObject({ available: false });
});
