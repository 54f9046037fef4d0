import { constants } from "node:os";
import { errnoError } from "./errno.ts";

const { EINVAL, ENAMETOOLONG } = constants.errno;
const MAX_NAME_BYTES = 255;

/**
 * Checks the name of a queue, segment or semaphore before the kernel gets it, because the errors of the C library
 * differ between the three and between versions.
 *
 * @param extraBytes number of bytes that are added to the name, for example `sem.` by the C library
 * @param call name of the C function that would be called next
 * @throws IpcError IPC_SYSTEM with errno EINVAL or ENAMETOOLONG
 */
export function checkName(name: string, extraBytes = 0, call = "open"): void {
  const rest = name.slice(1);
  if (!name.startsWith("/") || rest.length === 0 || rest.includes("/") || rest.includes("\0") || /^\.\.?$/.test(rest)) {
    const remedy = 'that is not a POSIX name: write one leading slash and no other, such as "/my-queue"';
    throw errnoError(EINVAL, call, JSON.stringify(name), remedy);
  }
  const bytes = Buffer.byteLength(rest) + extraBytes;
  if (bytes <= MAX_NAME_BYTES) return;
  const added = extraBytes === 0 ? "" : ` with the ${extraBytes} that are added to it`;
  const remedy = `the name has ${bytes} bytes${added}, the system allows ${MAX_NAME_BYTES}: shorten it`;
  throw errnoError(ENAMETOOLONG, call, name, remedy);
}
