import type { Transport } from "../contract/transport.ts";
import { namedPipe } from "./named-pipe.ts";
import { unix } from "./unix.ts";

const ID = "local-socket";
const own = process.platform === "win32" ? namedPipe : unix;

/**
 * The local socket of `node:net`, as programs for several systems ship it: a Unix socket where there are any, a named pipe on Windows.
 * Only the name of the address differs between the two.
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
