import { once } from "node:events";
import { renameSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { basename, join } from "node:path";

/**
 * Socket in a run directory on which the owner of the run listens. The kernel closes it when the owner ends in any way,
 * and it can be tested in every namespace that shares the directory, while a pid is valid in one namespace only.
 */
export const OWNER_SOCKET = "owner";
/** Name of the socket before it listens, because a socket that refuses under the final name means a dead owner. */
const UNFINISHED = "owner.new";

/**
 * - `held`: the owner lives, even if stopped or busy.
 * - `dead`: nobody listens any more.
 * - `unmarked`: there is no socket. The run is just starting, or was killed while it was starting.
 */
export type Holding = "held" | "dead" | "unmarked";

/** Marks a directory as in use for as long as this process lives. @throws Error if its file system has no sockets */
export async function holdDirectory(directory: string): Promise<Server> {
  // Nothing is answered: the kernel accepts the connection, which is enough.
  const server = createServer((socket) => socket.destroy()).unref();
  await once(server.listen(addressOf(directory, UNFINISHED)), "listening");
  // Nobody waits for these connections, so an error of one must not end this process.
  server.on("error", () => {});
  if (process.platform !== "win32") renameSync(join(directory, UNFINISHED), join(directory, OWNER_SOCKET));
  return server;
}

/** Finds out if the owner of this directory lives. An unknown error counts as living. */
export async function holdingOf(directory: string): Promise<Holding> {
  const socket = connect(addressOf(directory, OWNER_SOCKET));
  try {
    await once(socket, "connect");
    return "held";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ECONNREFUSED" ? "dead" : code === "ENOENT" ? "unmarked" : "held";
  } finally {
    socket.destroy();
  }
}

function addressOf(directory: string, name: string): string {
  return process.platform === "win32" ? `\\\\.\\pipe\\${basename(directory)}` : join(directory, name);
}
