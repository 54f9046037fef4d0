import { describe, expect, it } from "vitest";
import { windowsError } from "./errors.ts";
import { kernel32, windowsAvailability } from "./kernel32.ts";

describe("errors of Windows", () => {
  it.each([
    [2, "IPC_PEER_LOST", "ENOENT"],
    [5, "IPC_SYSTEM", "EACCES"],
    [183, "IPC_ADDRESS_IN_USE", "EEXIST"],
    [298, "IPC_SYSTEM", "EOVERFLOW"],
    [1455, "IPC_SHORTAGE", "ENOMEM"],
  ])("%i is %s with %s", (number, code, errno) => {
    expect(windowsError(number, "CreateFileMapping", "name")).toMatchObject({ code, errno });
  });

  it("another one has its number in the message", () => {
    const error = windowsError(4390, "CreateFile", "path");
    expect(error).toMatchObject({ code: "IPC_SYSTEM", errno: "EIO" });
    expect(error.message).toBe("CreateFile(path): EIO: Windows returned error 4390");
  });
});

it.skipIf(process.platform === "win32")("kernel32.dll is unavailable elsewhere, with the reason", () => {
  const reason = `kernel32.dll exists on Windows only; this is ${process.platform}`;
  expect(windowsAvailability()).toEqual({ available: false, reason });
  expect(() => kernel32()).toThrow(expect.objectContaining({ code: "IPC_UNSUPPORTED", message: reason }));
});
