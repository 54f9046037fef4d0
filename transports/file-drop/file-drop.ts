import { existsSync, lstatSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type {
  Address,
  ConnectionHandler,
  EventTransport,
  OsObject,
  RawClient,
  Transport,
} from "../contract/transport.ts";
import { randomUUID } from "../support/crypto.ts";
import { distinctName } from "../support/distinct-name.ts";
import { checkOptions } from "../support/opening.ts";
import { connectFiles } from "./client.ts";
import { dropFile, listNames, makeFolders, removeFolder, removeLargeFolder } from "./files.ts";
import { type Layout, layoutOf, requestName } from "./names.ts";
import { type Owner, releaseOwnership, removeUnusedFolders, takeOwnership } from "./owner.ts";
import { FileServer, MAX_CLIENTS } from "./server.ts";
import { type Settings, settingsOf } from "./settings.ts";

function eventFace(polls: boolean): EventTransport {
  return {
    async listen(address, handler, options) {
      checkOptions(address.transport, options);
      const layout = layoutOf(address.name);
      const settings = settingsOf(address, polls);
      try {
        refuseFile(address);
        return await serve(address, layout, settings, handler);
      } catch (error) {
        throw toIpcError(error, address.transport);
      }
    },
    async connect(address, handler, options) {
      checkOptions(address.transport, options);
      try {
        return connectFiles(layoutOf(address.name), settingsOf(address, polls), handler);
      } catch (error) {
        throw toIpcError(error, address.transport);
      }
    },
  };
}

/** Serves a drop. If it fails, removes everything it made. */
async function serve(
  address: Address,
  layout: Layout,
  settings: Settings,
  handler: ConnectionHandler,
): Promise<FileServer> {
  let owner: Owner | undefined;
  try {
    makeFolders(layout);
    owner = await takeOwnership(layout, address.transport);
    // Made again, since the last client of a predecessor may have removed the folders before our mark was there.
    makeFolders(layout);
    return new FileServer(address, layout, settings, handler, owner);
  } catch (error) {
    if (owner !== undefined) releaseOwnership(layout, owner);
    removeUnusedFolders(layout);
    throw error;
  }
}

/** @throws IpcError IPC_ADDRESS_IN_USE if something other than a folder is at the address */
function refuseFile(address: Address): void {
  if (lstatSync(address.name, { throwIfNoEntry: false })?.isDirectory() !== false) return;
  const message = `${address.transport}: ${address.name} is not a folder; choose another path or remove it yourself`;
  throw new IpcError("IPC_ADDRESS_IN_USE", message, { transport: address.transport });
}

/** Drops files with any content under valid names. */
async function openRawClient(address: Address): Promise<RawClient> {
  const layout = layoutOf(address.name);
  const client = randomUUID();
  const mailbox = join(layout.responses, client);
  makeFolders(layout);
  mkdirSync(mailbox);
  let serial = 0;
  let timer: NodeJS.Timeout | undefined;
  const closed = new Promise<void>((resolve) => {
    timer = setInterval(() => {
      if (existsSync(mailbox)) return;
      clearInterval(timer);
      resolve();
    }, 10);
    timer.unref();
  });
  return {
    closed,
    async write(bytes) {
      if (!existsSync(mailbox)) {
        throw new IpcError("IPC_PEER_LOST", `${address.transport}: the server removed the mailbox`);
      }
      serial += 1;
      dropFile(layout, join(layout.requests, requestName(client, serial, false)), bytes, false);
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      removeFolder(mailbox);
    },
  };
}

function listTree(path: string): OsObject[] {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return [];
  const below = status.isDirectory() ? listNames(path).flatMap((name) => listTree(join(path, name))) : [];
  // Windows has no mode; the one that Node returns is invented.
  const mode = process.platform === "win32" ? {} : { mode: status.mode & 0o777 };
  return [{ kind: "path", name: path, ...mode }, ...below];
}

function fileDrop(id: string, polls: boolean): Transport {
  return {
    id,
    activeWhenIdle: true,
    capabilities: {
      modes: ["event"],
      patterns: ["request-reply", "one-way"],
      rendezvous: "address",
      boundaries: "library",
      delivery: "reliable",
      ordering: "fifo",
      maxMessageBytes: UNBOUNDED_MESSAGE_BYTES,
      maxClients: MAX_CLIENTS,
      maxInFlight: 256,
      connects: "lazy",
      backpressure: "outbox",
      peerLoss: "undetected",
      auth: ["permissions"],
      persistent: true,
      platforms: ["linux", "darwin", "win32"],
      languages: ["python", "any"],
      packages: [],
      native: false,
    },
    async probe() {
      return { available: true, version: `node ${process.versions.node}, ${polls ? "timer" : "fs.watch"}` };
    },
    async allocate(place) {
      return { transport: id, name: join(place.directory, `drop-${distinctName()}`) };
    },
    event: eventFace(polls),
    peers: { python: ["python3", "peer.py"] },
    clients: { python: ["python3", "client.py"] },
    connectRaw: openRawClient,
    async residue(address) {
      return listTree(address.name);
    },
    async sweep(address) {
      if (lstatSync(address.name, { throwIfNoEntry: false })?.isDirectory()) await removeLargeFolder(address.name);
    },
  };
}

/** Requests and replies as files; the system notifies the reader of each new one. */
export const fileDropWatch: Transport = fileDrop("file-drop/watch", false);
/** Requests and replies as files; the reader looks every 5 ms (`pollMs`). */
export const fileDropPoll: Transport = fileDrop("file-drop/poll", true);
