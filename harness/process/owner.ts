import { once } from "node:events";
import { renameSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { basename, join } from "node:path";

/**
 * Socket in a run directory on which its owner listens. The kernel closes it with the owner, however that ends, and
 * answers for it in every namespace that shares the directory. A pid means something in one namespace only.
 */
export const OWNER_SOCKET = "owner";
/** Name of the socket before it listens: under the final name a socket that refuses has lost its owner. */
const UNFINISHED = "owner.new";

/**
 * - `held`: the owner lives, even if stopped or busy.
 * - `dead`: nobody listens any more.
 * - `unmarked`: there is no socket. The run is just starting, or was killed while it was.
 */
export type Holding = "held" | "dead" | "unmarked";

/** Marks a directory as in use for as long as this process lives. @throws Error where its file system has no sockets */
export async function holdDirectory(directory: string): Promise<Server> {
  // The kernel completes a connection without its server, so this answers nothing.
  const server = createServer((socket) => socket.destroy()).unref();
  await once(server.listen(addressOf(directory, UNFINISHED)), "listening");
  // Losing a connection that nobody waits for is no reason to end.
  server.on("error", () => {});
  if (process.platform !== "win32") renameSync(join(directory, UNFINISHED), join(directory, OWNER_SOCKET));
  return server;
}

/** Asks whether the owner of this directory lives. An answer that is none of the known ones counts as life. */
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
