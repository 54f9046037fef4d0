import type { ConnectionHandler, Transport } from "../contract/transport.ts";
import { libc } from "../posix/binding.ts";
import { Mapping } from "../posix/mapping.ts";
import { MSG_DONTWAIT, MSG_NOSIGNAL } from "../posix/unix-socket.ts";
import { descriptorOf } from "../support/pipe-handle.ts";
import { AgreedConnection } from "./agreed-connection.ts";
import type { Agreed } from "./agreed-segment.ts";
import { agreedTransport } from "./agreed-transport.ts";
import { Pair, replyRegion, requestRegion } from "./layout.ts";
import { largestMessage, RingReader, RingWriter } from "./ring.ts";

const ID = "shm/doorbell";
export const RING_BYTES = 4 * 1024 * 1024;
const MAX_CLIENTS = 32;
/** Values of the two words that each side writes for the other. */
const AWAITED = 1;
const BELL = Buffer.from([1]);
const RING_FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL;

/** Words on which each side announces that it sleeps, and that it waits for room. */
const Words = {
  client: { asleep: Pair.restWord, room: Pair.restWord + 1 },
  server: { asleep: Pair.clientCpuWord + 8, room: Pair.clientCpuWord + 9 },
} as const;

/** A ring in each direction. A byte through the socket wakes the event loop of the other side if it sleeps. */
export class DoorbellConnection extends AgreedConnection {
  readonly #reader: RingReader;
  readonly #writer: RingWriter;
  readonly #words: Int32Array;
  readonly #own: { readonly asleep: number; readonly room: number };
  readonly #peer: { readonly asleep: number; readonly room: number };
  readonly #largest: number;
  readonly #libc = libc();
  readonly #bell = Mapping.anonymous(8);
  readonly #clapper = this.#bell.pointer(0);
  readonly #fd: number;
  #wantedBytes = -1;

  constructor(id: string, agreed: Agreed, handler: ConnectionHandler, onEnd: () => void) {
    super(id, agreed, handler, () => {
      this.#bell.close();
      onEnd();
    });
    const { capacity, isServer, segment } = agreed;
    const [requests, replies] = [requestRegion(segment.mapping, capacity), replyRegion(segment.mapping, capacity)];
    this.#reader = new RingReader(isServer ? requests : replies);
    this.#writer = new RingWriter(isServer ? replies : requests);
    this.#words = segment.mapping.words;
    this.#own = isServer ? Words.server : Words.client;
    this.#peer = isServer ? Words.client : Words.server;
    this.#largest = largestMessage(capacity);
    this.#fd = descriptorOf(agreed.socket);
    this.#bell.bytes[0] = 1;
  }

  send(message: Uint8Array): boolean {
    if (!this.isOpen) throw this.error("IPC_CLOSED", "this end is closed");
    if (message.length > this.#largest) {
      throw this.error("IPC_TOO_LARGE", `${message.length} bytes exceed ${this.#largest}, half a ring`);
    }
    try {
      if (!this.#put(message)) return false;
    } catch (error) {
      // The positions of the other side are invalid. This ends the connection, and `onClose` gets the error.
      this.breakLater(error);
      return false;
    }
    this.#ringIf(this.#peer.asleep);
    return true;
  }

  #put(message: Uint8Array): boolean {
    if (this.#writer.tryWrite(message)) return true;
    this.#wantedBytes = message.length;
    Atomics.store(this.#words, this.#own.room, AWAITED);
    // Tried again: room may have been made before the other side could see that we wait.
    if (!this.#writer.tryWrite(message)) return false;
    this.#wantedBytes = -1;
    Atomics.store(this.#words, this.#own.room, 0);
    return true;
  }

  #ringIf(word: number): void {
    if (Atomics.load(this.#words, word) !== AWAITED) return;
    if (Atomics.compareExchange(this.#words, word, AWAITED, 0) !== AWAITED) return;
    // Bypasses libuv, where a write costs several times as much as the system call. The result does not matter: a full
    // socket buffer contains bells already, and after an error the socket ends.
    if (this.#fd >= 0) this.#libc.send(this.#fd, this.#clapper, 1, RING_FLAGS);
    else this.socket.write(BELL);
  }

  protected override awaitsRoom(): boolean {
    return this.#wantedBytes >= 0;
  }

  /** Called for a byte, which means only that there is something to check. */
  protected override onBytes(): void {
    if (this.#wantedBytes < 0 || !this.#writer.hasRoom(this.#wantedBytes)) return;
    this.#wantedBytes = -1;
    this.handler.onWritable(this);
  }

  protected override deliverOne(): boolean {
    const length = this.#reader.next();
    this.#giveRoom();
    if (length < 0) return false;
    this.handler.onMessage(this.#reader.message(length), this);
    if (this.mapping.closed) return true;
    this.#reader.release();
    this.#giveRoom();
    return true;
  }

  #giveRoom(): void {
    if (!this.#reader.freed) return;
    this.#reader.freed = false;
    this.#ringIf(this.#peer.room);
  }

  /** Announces that we sleep, then checks once more. Parker explains why this misses no message. */
  protected override rest(): boolean {
    Atomics.store(this.#words, this.#own.asleep, AWAITED);
    if (!this.#reader.isReady()) return false;
    Atomics.store(this.#words, this.#own.asleep, 0);
    return true;
  }
}

/** A ring in shared memory for event loops. */
export const shmDoorbell: Transport = agreedTransport(
  { id: ID, capacity: RING_BYTES, maxClients: MAX_CLIENTS },
  { maxMessageBytes: largestMessage(RING_BYTES), boundaries: "prefix" },
  (agreed, handler, onEnd) => new DoorbellConnection(ID, agreed, handler, onEnd),
);
