import { chmodSync, lstatSync, realpathSync, unlinkSync } from "node:fs";
import { createConnection, createServer, type Server as NetServer, type Socket } from "node:net";
import { constants } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { IpcError, isIpcError, toIpcError } from "../contract/errors.ts";
import type { Address, OpenOptions, OsObject } from "../contract/transport.ts";
import { errnoError } from "../posix/errno.ts";
import { createHash, randomInt } from "../support/crypto.ts";
import { Deadline } from "../support/deadline.ts";
import { checkOptions, withinLimit } from "../support/opening.ts";
import { withPathLock } from "../support/path-lock.ts";
import { checkSocketPath } from "../support/socket-path-limit.ts";
import { isListening } from "../support/stream-client.ts";
import { slotName } from "./kind.ts";
import { checkPair, initializePair, Pair, pairBytes, touchAtServer, touchPair } from "./layout.ts";
import { leadsTo, type PosixSegment as Segment, sharedMemoryStore } from "./store.ts";

/** Mechanism of this folder with a Unix socket between its ends. The socket connects them, and shows when one dies. */
export interface AgreedKind {
  readonly id: string;
  /** Bytes of the segment for each direction; a power of two. */
  readonly capacity: number;
  readonly maxClients: number;
}

/** Common state of both sides after the handshake. */
export interface Agreed {
  readonly socket: Socket;
  readonly segment: Segment;
  readonly capacity: number;
  readonly isServer: boolean;
}

/** Starts a connection; returns a function that registers a callback for the end of the connection. */
export type OnAgreed = (agreed: Agreed) => (ended: () => void) => void;

/** Way in which both ends come to one segment. */
export interface Meeting {
  listen(
    kind: AgreedKind,
    address: Address,
    options: OpenOptions | undefined,
    onAgreed: OnAgreed,
  ): Promise<{ close(): Promise<void> }>;
  connect(kind: AgreedKind, address: Address, options?: OpenOptions): Promise<Agreed>;
  /** Lists what the system holds for the address, except the lock of its path. */
  residue(kind: AgreedKind, address: Address): readonly OsObject[];
  sweep(kind: AgreedKind, address: Address): void;
}

/**
 * First message of a client. The client sends first, so that a connection that only checks for a listener costs no
 * memory. The server then sends a greeting: slot and token, both u32 little-endian, and the key of its segments' names.
 * The client opens the segment, which must have the same token in it, and replies with the token. If the slot is
 * {@link REFUSED}, the token is the errno of the failure to make a segment, or 0 if all slots are taken.
 */
const HELLO = Buffer.from("shm2");
const REFUSED = 0xffff_ffff;
const KEY_BYTES = 8;
const GREETING_BYTES = 8 + KEY_BYTES;
const ANSWER_BYTES = 4;
const HANDSHAKE_MS = 2000;

/**
 * Derives the key of an address's segments from its whole path, since sockets in different directories may have the
 * same name. The server sends the key to its clients, because they may reach the directory by another path.
 */
function keyOf(address: Address): Buffer {
  return createHash("sha256").update(canonical(address.name)).digest().subarray(0, KEY_BYTES);
}

/** Returns the same path for all its spellings; its last part need not exist. */
function canonical(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    // The directory is missing; the next function that uses it throws the error.
    return resolve(path);
  }
}

const segmentName = (address: Address, slot: number, key: Buffer = keyOf(address)): string =>
  slotName(`/${basename(address.name)}-${key.toString("hex")}`, slot);

/** The listening socket and the handshakes under way. */
class AgreedListener {
  readonly #kind: AgreedKind;
  readonly #address: Address;
  readonly #taken = new Set<number>();
  readonly #listener: NetServer;
  readonly #greeting = new Set<Socket>();

  private constructor(kind: AgreedKind, address: Address, onAgreed: OnAgreed) {
    this.#kind = kind;
    this.#address = address;
    this.#listener = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => undefined);
      this.#greeting.add(socket);
      void readExactly(socket, HELLO.length).then((hello) => {
        this.#greeting.delete(socket);
        if (hello === undefined || !hello.equals(HELLO)) socket.destroy();
        else this.#greet(socket, onAgreed);
      });
    });
  }

  static async listen(
    kind: AgreedKind,
    address: Address,
    options: OpenOptions | undefined,
    onAgreed: OnAgreed,
  ): Promise<AgreedListener> {
    checkOptions(kind.id, options);
    checkSocketPath(address.name, kind.id);
    const listener = new AgreedListener(kind, address, onAgreed);
    try {
      await withPathLock(address.name, kind.id, () => listener.#bind());
    } catch (error) {
      throw toIpcError(error, kind.id);
    }
    return listener;
  }

  async #bind(): Promise<void> {
    const path = this.#address.name;
    const details = { transport: this.#kind.id, errno: "EADDRINUSE" };
    const inUse = (what: string): IpcError => new IpcError("IPC_ADDRESS_IN_USE", `${this.#kind.id}: ${what}`, details);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found !== undefined) {
      if (!found.isSocket()) throw inUse(`${path} is not a socket; choose another path or remove it yourself`);
      if (await isListening({ path })) throw inUse(`a server is listening at ${path}; stop it first`);
      sweepAgreed(this.#kind, this.#address);
    }
    await new Promise<void>((resolve, reject) => {
      this.#listener.once("error", reject);
      this.#listener.listen({ path, backlog: this.#kind.maxClients }, resolve);
    });
    chmodSync(path, 0o600);
  }

  #greet(socket: Socket, onAgreed: OnAgreed): void {
    const token = randomInt(1, 2 ** 32);
    let made: { slot: number; segment: Segment } | undefined;
    try {
      made = this.#takePlace(token);
    } catch (error) {
      return refuse(socket, numberOf(error));
    }
    if (made === undefined) return refuse(socket, 0);
    const { slot, segment } = made;
    this.#taken.add(slot);
    this.#greeting.add(socket);
    socket.write(greetingOf(slot, token, keyOf(this.#address)));
    void readExactly(socket, ANSWER_BYTES).then((answer) => {
      this.#greeting.delete(socket);
      // Both ends have the segment open, or never will, so it needs no name. Another server may have the name by now.
      if (leadsTo(sharedMemoryStore.path(segment.name), segment.fd)) sharedMemoryStore.unlink(segment.name, "claimed");
      const free = (): void => void this.#taken.delete(slot);
      if (answer?.readUInt32LE(0) !== token) {
        socket.destroy();
        segment.close();
        return free();
      }
      onAgreed({ socket, segment, capacity: this.#kind.capacity, isServer: true })(free);
    });
  }

  /** Takes the first free slot whose name is not used by another program; undefined if there is none. */
  #takePlace(token: number): { slot: number; segment: Segment } | undefined {
    for (let slot = 0; slot < this.#kind.maxClients; slot++) {
      if (this.#taken.has(slot)) continue;
      try {
        return { slot, segment: makeSegment(segmentName(this.#address, slot), this.#kind.capacity, token, slot) };
      } catch (error) {
        if (!isIpcError(error) || error.errno !== "EEXIST") throw error;
      }
    }
    return undefined;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    for (const socket of this.#greeting) socket.destroy();
    sweepAgreed(this.#kind, this.#address);
    // Not awaited: the listener also waits for the connections, and they end after this.
    void closed;
  }
}

async function connectAgreed(kind: AgreedKind, address: Address, options?: OpenOptions): Promise<Agreed> {
  checkOptions(kind.id, options);
  checkSocketPath(address.name, kind.id);
  const socket = createConnection({ path: address.name, allowHalfOpen: true });
  try {
    const work = greetBack(kind, address, socket);
    return await withinLimit(kind.id, options, work, () => socket.destroy());
  } catch (error) {
    socket.destroy();
    throw toIpcError(error, kind.id);
  }
}

async function greetBack(kind: AgreedKind, address: Address, socket: Socket): Promise<Agreed> {
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  socket.write(HELLO);
  const greeting = await readExactly(socket, GREETING_BYTES);
  if (greeting === undefined) {
    throw new IpcError("IPC_PEER_LOST", `${kind.id}: the server hung up without a greeting`, { transport: kind.id });
  }
  const [slot, token] = [greeting.readUInt32LE(0), greeting.readUInt32LE(4)];
  if (slot >= kind.maxClients) throw refusal(kind, slot === REFUSED ? token : 0);
  const segment = sharedMemoryStore.open(segmentName(address, slot, greeting.subarray(8)), Pair.dataOffset);
  try {
    const capacity = checkPair(segment.mapping);
    if ((segment.mapping.words[Pair.tokenWord] as number) >>> 0 !== token) {
      throw new IpcError(
        "IPC_MALFORMED",
        `${kind.id}: ${segment.name} is not the segment that the server has made for this client`,
      );
    }
    touchPair(segment.mapping, capacity);
    const answer = Buffer.alloc(ANSWER_BYTES);
    answer.writeUInt32LE(token, 0);
    socket.write(answer);
    return { socket, segment, capacity, isServer: false };
  } catch (error) {
    segment.close();
    throw error;
  }
}

function greetingOf(slot: number, token: number, key: Buffer): Buffer {
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32LE(slot, 0);
  numbers.writeUInt32LE(token, 4);
  return Buffer.concat([numbers, key]);
}

function refuse(socket: Socket, errno: number): void {
  socket.end(greetingOf(REFUSED, errno, Buffer.alloc(KEY_BYTES)), () => socket.destroy());
}

/** Returns the errno of an error, never 0, since 0 has a meaning of its own. */
export function numberOf(error: unknown): number {
  const errno = isIpcError(error) ? error.errno : undefined;
  return constants.errno[errno as keyof typeof constants.errno] ?? constants.errno.EIO;
}

function refusal(kind: AgreedKind, errno: number): IpcError {
  if (errno === 0) {
    const text = `${kind.id}: the server takes no more than ${kind.maxClients} clients`;
    return new IpcError("IPC_PEER_LOST", text, { transport: kind.id });
  }
  const why = errnoError(errno, "shm_open", `the server's segment for this client, ${pairBytes(kind.capacity)} bytes`);
  const details = { transport: kind.id, cause: why.cause, ...(why.errno !== undefined && { errno: why.errno }) };
  return new IpcError(why.code, `${kind.id}: ${why.message}`, details);
}

function makeSegment(name: string, capacity: number, token: number, slot: number): Segment {
  // A killed client of an earlier server here left it: no other program uses such a name and size.
  sharedMemoryStore.unlink(name, "claimed");
  const segment = sharedMemoryStore.create(name, pairBytes(capacity));
  segment.mapping.words[Pair.tokenWord] = token;
  touchAtServer(segment.mapping, capacity, slot);
  initializePair(segment.mapping, capacity);
  return segment;
}

/** Reads the first bytes of a socket and leaves the rest in it. Undefined if it closed or took too long. */
export function readExactly(socket: Socket, bytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const done = (result: Buffer | undefined): void => {
      deadline.clear();
      socket.off("readable", look).off("close", fail).off("error", fail).off("end", fail);
      resolve(result);
    };
    const look = (): void => {
      const chunk = socket.read(bytes) as Buffer | null;
      if (chunk !== null) done(chunk.length === bytes ? chunk : undefined);
    };
    const fail = (): void => done(undefined);
    const deadline = new Deadline(HANDSHAKE_MS, fail);
    socket.on("readable", look).on("close", fail).on("error", fail).on("end", fail);
  });
}

function residueOfAgreed(kind: AgreedKind, address: Address): OsObject[] {
  const status = lstatSync(address.name, { throwIfNoEntry: false });
  const path: OsObject[] =
    status === undefined ? [] : [{ kind: "path", name: address.name, mode: status.mode & 0o777 }];
  const segments = Array.from({ length: kind.maxClients }, (_, slot) =>
    sharedMemoryStore.inspect(segmentName(address, slot)),
  );
  return [...path, ...segments.filter((object) => object !== undefined)];
}

function sweepAgreed(kind: AgreedKind, address: Address): void {
  if (lstatSync(address.name, { throwIfNoEntry: false })?.isSocket()) unlinkSync(address.name);
  for (let slot = 0; slot < kind.maxClients; slot++) sharedMemoryStore.unlink(segmentName(address, slot), "claimed");
}

/** Segments with names: the server makes one, sends its name, and removes the name when both ends have it open. */
export const namedSegments: Meeting = {
  listen: (kind, address, options, onAgreed) => AgreedListener.listen(kind, address, options, onAgreed),
  connect: connectAgreed,
  residue: residueOfAgreed,
  sweep: sweepAgreed,
};
