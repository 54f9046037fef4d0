import { IpcError } from "../contract/errors.ts";

/** Size of `sun_path` without its final zero. Node 20 and 22 cut a longer path silently, so it is checked here. */
export const MAX_SOCKET_PATH_BYTES: number = process.platform === "darwin" ? 103 : 107;

/** @throws IpcError IPC_SYSTEM with errno ENAMETOOLONG. */
export function checkSocketPath(path: string, transport: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= MAX_SOCKET_PATH_BYTES) return;
  const message =
    `${transport}: the path ${path} has ${bytes} bytes, but a socket path may have ${MAX_SOCKET_PATH_BYTES}; ` +
    "use a shorter directory";
  throw new IpcError("IPC_SYSTEM", message, { transport, errno: "ENAMETOOLONG" });
}
