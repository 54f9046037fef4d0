import { closeSync, lstatSync } from "node:fs";
import { createConnection, createServer, type Server as NetServer, type Socket } from "node:net";
import { IpcError, isIpcError, toIpcError } from "../contract/errors.ts";
import type { Address, OpenOptions } from "../contract/transport.ts";
import { receiveDescriptor, sendDescriptor } from "../posix/descriptor-passing.ts";
import { errnoError } from "../posix/errno.ts";
import { MemoryFile } from "../posix/memory-file.ts";
import { checkOptions, withinLimit } from "../support/opening.ts";
import { descriptorOf } from "../support/pipe-handle.ts";
import { listenPrivately } from "../support/private-listener.ts";
import { listenAtPath, removeSocket } from "../support/socket-path.ts";
import { checkSocketPath } from "../support/socket-path-limit.ts";
import { type Agreed, type AgreedKind, type Meeting, numberOf, type OnAgreed, readExactly } from "./agreed-segment.ts";
import { checkPair, initializePair, pairBytes, touchPair } from "./layout.ts";

/**
 * First message of a client; the descriptor of its memory comes with it. The server replies with a u32, little-endian:
 * 0, or {@link FULL}, or the errno that kept it from mapping the memory.
 */
const HELLO = Buffer.from("mem1");
const FULL = 0xffff_ffff;
const REPLY_BYTES = 4;
/** Time that a new client has for its hello, ms; pauses between two checks for it. */
const HANDSHAKE_MS = 2000;
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 20;

/** The listening socket and the newcomers whose hello has not come. */
class MemoryListener {
  readonly #kind: AgreedKind;
  readonly #path: string;
  readonly #listener: NetServer;
  readonly #onAgreed: OnAgreed;
  readonly #newcomers = new Set<Socket>();
  #clients = 0;

  constructor(kind: AgreedKind, path: string, onAgreed: OnAgreed) {
    this.#kind = kind;
    this.#path = path;
    this.#onAgreed = onAgreed;
    // Paused: a read by Node would drop the descriptor.
    this.#listener = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      socket.on("error", () => undefined);
      this.#newcomers.add(socket);
      this.#look(socket, performance.now() + HANDSHAKE_MS, 0);
    });
  }

  listen(): Promise<void> {
    return listenPrivately(this.#listener, this.#path);
  }

  /** Polls for the hello. Node has no event for "readable" besides reading, and a read by Node drops the descriptor. */
  #look(socket: Socket, untilMs: number, pauseMs: number): void {
    if (socket.destroyed) return void this.#newcomers.delete(socket);
    try {
      const received = receiveDescriptor(descriptorOf(socket), HELLO.length);
      if (received !== undefined) {
        this.#newcomers.delete(socket);
        return this.#greet(socket, received.bytes, received.fd);
      }
      if (performance.now() < untilMs) {
        const nextMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, 2 * pauseMs));
        setTimeout(() => this.#look(socket, untilMs, nextMs), pauseMs);
        return;
      }
    } catch (error) {
      if (!isIpcError(error)) throw error;
    }
    this.#newcomers.delete(socket);
    socket.destroy();
  }

  #greet(socket: Socket, hello: Uint8Array, fd: number | undefined): void {
    if (fd === undefined) return void socket.destroy();
    if (!HELLO.equals(hello)) {
      closeSync(fd);
      socket.destroy();
      return;
    }
    if (this.#clients >= this.#kind.maxClients) {
      closeSync(fd);
      return refuse(socket, FULL);
    }
    let memory: MemoryFile;
    try {
      memory = adopt(fd, this.#kind.capacity);
    } catch (error) {
      return refuse(socket, numberOf(error));
    }
    this.#clients++;
    socket.write(replyOf(0));
    socket.resume();
    this.#onAgreed({ socket, segment: memory, capacity: this.#kind.capacity, isServer: true })(() => this.#clients--);
  }

  async close(): Promise<void> {
    removeSocket(this.#path, this.#kind.id);
    this.#listener.close();
    for (const socket of this.#newcomers) socket.destroy();
  }
}

function adopt(fd: number, capacity: number): MemoryFile {
  const memory = MemoryFile.adopt(fd, pairBytes(capacity));
  try {
    if (checkPair(memory.mapping) !== capacity) throw new IpcError("IPC_MALFORMED", "the rings have another size");
    touchPair(memory.mapping, capacity);
    return memory;
  } catch (error) {
    memory.close();
    throw error;
  }
}

function replyOf(word: number): Buffer {
  const reply = Buffer.alloc(REPLY_BYTES);
  reply.writeUInt32LE(word);
  return reply;
}

function refuse(socket: Socket, word: number): void {
  socket.end(replyOf(word), () => socket.destroy());
}

async function connect(kind: AgreedKind, address: Address, options?: OpenOptions): Promise<Agreed> {
  checkOptions(kind.id, options);
  checkSocketPath(address.name, kind.id);
  const memory = MemoryFile.create(kind.id.replace("/", "-"), pairBytes(kind.capacity));
  let socket: Socket | undefined;
  try {
    touchPair(memory.mapping, kind.capacity);
    initializePair(memory.mapping, kind.capacity);
    socket = createConnection({ path: address.name, allowHalfOpen: true });
    const work = introduce(kind, socket, memory);
    await withinLimit(kind.id, options, work, () => socket?.destroy());
    return { socket, segment: memory, capacity: kind.capacity, isServer: false };
  } catch (error) {
    socket?.destroy();
    memory.close();
    throw toIpcError(error, kind.id);
  }
}

async function introduce(kind: AgreedKind, socket: Socket, memory: MemoryFile): Promise<void> {
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  // The socket is new and its buffer empty, so there is room.
  sendDescriptor(descriptorOf(socket), HELLO, memory.fd);
  const reply = await readExactly(socket, REPLY_BYTES);
  if (reply === undefined) {
    throw new IpcError("IPC_PEER_LOST", `${kind.id}: the server hung up without a reply`, { transport: kind.id });
  }
  const word = reply.readUInt32LE(0);
  if (word === FULL) {
    const text = `${kind.id}: the server takes no more than ${kind.maxClients} clients`;
    throw new IpcError("IPC_PEER_LOST", text, { transport: kind.id });
  }
  if (word !== 0) throw errnoError(word, "mmap", "our memory, at the server");
}

/** Memory without a name: the client makes it and passes its descriptor. Only the socket has a path. */
export const passedMemory: Meeting = {
  async listen(kind, address, options, onAgreed) {
    checkOptions(kind.id, options);
    return listenAtPath(address.name, kind.id, async () => {
      const listener = new MemoryListener(kind, address.name, onAgreed);
      await listener.listen();
      return listener;
    });
  },
  connect,
  residue(_kind, { name }) {
    const status = lstatSync(name, { throwIfNoEntry: false });
    return status === undefined ? [] : [{ kind: "path", name, mode: status.mode & 0o777 }];
  },
  sweep: (kind, address) => removeSocket(address.name, kind.id),
};
