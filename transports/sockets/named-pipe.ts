import { readdirSync } from "node:fs";
import { createServer } from "node:net";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { EventTransport, OsObject, Transport } from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { distinctName } from "../support/distinct-name.ts";
import { checkOptions, unlessAborted } from "../support/opening.ts";
import { connectRawSocket, connectStream, isListening } from "../support/stream-client.ts";
import { StreamServer } from "../support/stream-server.ts";

const ID = "named-pipe";
const MAX_CLIENTS = 1024;
/** Directory of all named pipes of this machine. */
const DIRECTORY = "\\\\.\\pipe\\";
/** Longest whole name, characters, see CreateNamedPipe(). */
const MAX_NAME_CHARACTERS = 256;

const event: EventTransport = {
  async listen(address, handler, options) {
    checkOptions(ID, options);
    checkName(address.name);
    // A pipe has no half close: bytes that arrive after our end are lost, so closing waits for no reply. The option
    // only keeps Node from ending our direction before everything queued is sent.
    const listener = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      const refused = (error: Error): void => reject(toIpcError(error, ID));
      listener.once("error", refused);
      // Without readableAll and writableAll, only this user, administrators and the system can write.
      listener.listen({ path: address.name, exclusive: true }, () => {
        listener.off("error", refused);
        resolve();
      });
    });
    const maxMessageBytes = UNBOUNDED_MESSAGE_BYTES;
    const server = new StreamServer({
      transport: ID,
      address,
      maxMessageBytes,
      maxClients: MAX_CLIENTS,
      handler,
      listener,
    });
    return unlessAborted(ID, options, server);
  },

  async connect(address, handler, options) {
    checkName(address.name);
    return connectStream(ID, { path: address.name }, UNBOUNDED_MESSAGE_BYTES, handler, options);
  },
};

/** @throws IpcError IPC_UNSUPPORTED on other systems than Windows, and for a name that is not that of a local pipe. */
function checkName(name: string): void {
  if (process.platform !== "win32") throw new IpcError("IPC_UNSUPPORTED", elsewhere(), { transport: ID });
  const rest = name.startsWith(DIRECTORY) ? name.slice(DIRECTORY.length) : "";
  if (rest.length > 0 && !rest.includes("\\") && name.length <= MAX_NAME_CHARACTERS) return;
  const form = `${DIRECTORY}<name>, with at most ${MAX_NAME_CHARACTERS} characters and no further backslash`;
  const message = `${ID}: "${name}" is not the name of a named pipe; use ${form}`;
  throw new IpcError("IPC_UNSUPPORTED", message, { transport: ID });
}

function elsewhere(): string {
  return `named pipes of this kind exist on Windows only (this is ${process.platform}); use unix or fifo here`;
}

/** Returns `true` if the name exists. Windows lists pipes; Wine does not, so there the pipe is opened. */
async function exists(name: string): Promise<boolean> {
  let names: readonly string[];
  try {
    names = readdirSync(DIRECTORY);
  } catch {
    return isListening({ path: name });
  }
  return names.includes(name.slice(DIRECTORY.length));
}

/** Windows named pipes over `node:net` in byte mode. Each message follows a u32 length prefix. */
export const namedPipe: Transport = {
  id: ID,
  capabilities: streamCapabilities({
    maxClients: MAX_CLIENTS,
    platforms: ["win32"],
  }),
  async probe() {
    if (process.platform !== "win32") return { available: false, reason: elsewhere() };
    return { available: true, version: `node ${process.versions.node}, libuv ${process.versions.uv}` };
  },
  /** Allocates a name in the file system of pipes and does not use the directory of the place. */
  async allocate(place) {
    return { transport: ID, name: `${DIRECTORY}${place.prefix}-${distinctName()}` };
  },
  event,
  connectRaw: (address) => connectRawSocket(ID, { path: address.name }),
  async residue(address): Promise<readonly OsObject[]> {
    if (process.platform !== "win32" || !(await exists(address.name))) return [];
    return [{ kind: "pipe", name: address.name }];
  },
  /** Does nothing: a name vanishes with its last handle, so a dead server leaves no name. */
  async sweep() {},
};
