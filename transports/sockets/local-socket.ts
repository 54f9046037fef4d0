import type { Transport } from "../contract/transport.ts";
import { namedPipe } from "./named-pipe.ts";
import { unix } from "./unix.ts";

const ID = "local-socket";
const own = process.platform === "win32" ? namedPipe : unix;

/**
 * The local socket of `node:net`: a Unix socket, or a named pipe on Windows. Only the name of the address differs.
 */
export const localSocket: Transport = {
  ...own,
  id: ID,
  sameAs: own.id,
  capabilities: { ...own.capabilities, platforms: ["linux", "darwin", "win32"] },
  async allocate(place) {
    return { ...(await own.allocate(place)), transport: ID };
  },
};
