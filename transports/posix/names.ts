import { IpcError } from "../contract/errors.ts";

const MAX_NAME_BYTES = 255;

/**
 * Checks the name of a queue, segment or semaphore before the kernel sees it: the C library's own answers differ
 * between the three and between versions.
 *
 * @param extraBytes what the C library puts in front (`sem.` for semaphores)
 * @throws IpcError IPC_SYSTEM EINVAL or ENAMETOOLONG
 */
export function checkName(name: string, extraBytes = 0): void {
  const rest = name.slice(1);
  if (!name.startsWith("/") || rest.length === 0 || rest.includes("/") || rest.includes("\0") || /^\.\.?$/.test(rest)) {
    throw new IpcError(
      "IPC_SYSTEM",
      `${JSON.stringify(name)} is not a POSIX name: write one leading slash and no other, such as "/my-queue"`,
      { errno: "EINVAL" },
    );
  }
  const bytes = Buffer.byteLength(rest) + extraBytes;
  if (bytes > MAX_NAME_BYTES) {
    throw new IpcError("IPC_SYSTEM", `the name has ${bytes} bytes, the system allows ${MAX_NAME_BYTES}: shorten it`, {
      errno: "ENAMETOOLONG",
    });
  }
}
