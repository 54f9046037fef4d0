import { IpcError } from "../contract/errors.ts";
import type { ConnectionHandler, Transport } from "../contract/transport.ts";
import { WordCopy } from "../support/word-copy.ts";
import { AgreedConnection } from "./agreed-connection.ts";
import type { Agreed } from "./agreed-segment.ts";
import { agreedTransport } from "./agreed-transport.ts";
import { Pair } from "./layout.ts";

const ID = "shm/descriptor";
/** Bytes of shared memory for each direction. A payload lies in one piece and has at most half of this size. */
const ARENA_BYTES = 16 * 1024 * 1024;
const MAX_CLIENTS = 8;
/** Alignment and smallest size of a piece: pieces begin on cache lines; an empty message takes one, too. */
const PIECE_BYTES = 64;
const pieceBytes = (length: number): number => Math.max(PIECE_BYTES, (length + PIECE_BYTES - 1) & -PIECE_BYTES);

/** Bytes of a record in the socket: kind, offset, length; u32, little-endian. Offsets are in the agreed segment. */
const RECORD_BYTES = 12;
const Record = { payload: 1, release: 2 } as const;

/**
 * Copies each payload once to shared memory, where it is read; only its offset and length go through the socket. The
 * receiver releases payloads after `onMessage`, in the order of arrival, so the arena is a ring of pieces.
 */
class DescriptorConnection extends AgreedConnection {
  readonly #bytes: Uint8Array;
  readonly #capacity: number;
  readonly #largest: number;
  readonly #outBase: number;
  readonly #inBase: number;
  readonly #copy: WordCopy;
  /** Free-running positions of our arena; the bytes between them are in use. */
  #allocated = 0;
  #released = 0;
  /** End of each piece under way, oldest first; index `#first` is next. */
  readonly #pieces: number[] = [];
  #first = 0;
  #wantsRoom = false;
  /** Payloads announced and not yet delivered: offset, length, offset, length, … */
  readonly #inbox: number[] = [];
  #next = 0;
  #partial: Buffer = Buffer.alloc(0);

  constructor(agreed: Agreed, handler: ConnectionHandler, onEnd: () => void) {
    super(ID, agreed, handler, onEnd);
    const { capacity, isServer } = agreed;
    const [requests, replies] = [Pair.dataOffset, Pair.dataOffset + capacity];
    this.#capacity = capacity;
    this.#largest = capacity / 2;
    this.#bytes = this.mapping.bytes;
    this.#copy = new WordCopy(this.mapping.bytes, this.mapping.words);
    this.#outBase = isServer ? replies : requests;
    this.#inBase = isServer ? requests : replies;
  }

  send(message: Uint8Array): boolean {
    if (!this.isOpen) throw this.error("IPC_CLOSED", "this end is closed");
    if (message.length > this.#largest) {
      throw this.error(
        "IPC_TOO_LARGE",
        `${message.length} bytes exceed ${this.#largest}, half the shared memory of a direction`,
      );
    }
    const offset = this.#allocate(pieceBytes(message.length));
    if (offset < 0) {
      this.#wantsRoom = true;
      return false;
    }
    this.#copy.write(message, this.#outBase + offset);
    this.#sendRecord(Record.payload, offset, message.length);
    return true;
  }

  /** @returns the offset of a free piece of that size, or -1 if there is none */
  #allocate(bytes: number): number {
    const at = this.#allocated % this.#capacity;
    const skipped = at + bytes > this.#capacity ? this.#capacity - at : 0;
    if (this.#allocated + skipped + bytes - this.#released > this.#capacity) return -1;
    this.#allocated += skipped + bytes;
    this.#pieces.push(this.#allocated);
    return skipped > 0 ? 0 : at;
  }

  #sendRecord(kind: number, offset: number, length: number): void {
    const record = Buffer.allocUnsafe(RECORD_BYTES);
    record.writeUInt32LE(kind, 0);
    record.writeUInt32LE(offset, 4);
    record.writeUInt32LE(length, 8);
    // Records are small, and there are no more than pieces of the arena, so they may wait in the stream.
    this.socket.write(record);
  }

  protected override onBytes(chunk: Buffer): void {
    const bytes = this.#partial.length > 0 ? Buffer.concat([this.#partial, chunk]) : chunk;
    let at = 0;
    for (; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
      this.#take(bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at + 8));
    }
    this.#partial = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at));
    if (!this.#wantsRoom || !this.isOpen) return;
    this.#wantsRoom = false;
    this.handler.onWritable(this);
  }

  #take(kind: number, offset: number, length: number): void {
    if (kind === Record.payload) {
      // Everything is checked against the agreed size before a byte is read. A payload longer than we may send is
      // refused, because a program that echoes payloads could not send it.
      if (length > this.#largest) {
        throw new IpcError("IPC_MALFORMED", `a payload of ${length} bytes exceeds the limit of ${this.#largest}`);
      }
      if (offset % PIECE_BYTES !== 0 || offset + length > this.#capacity) {
        throw new IpcError(
          "IPC_MALFORMED",
          `${length} bytes at ${offset} lie outside the agreed ${this.#capacity} bytes`,
        );
      }
      if (this.#inbox.length - this.#next > (this.#capacity / PIECE_BYTES) * 2) {
        throw new IpcError("IPC_MALFORMED", "the other side announced more payloads than fit");
      }
      this.#inbox.push(offset, length);
    } else if (kind === Record.release && this.#first < this.#pieces.length) {
      this.#released = this.#pieces[this.#first++] as number;
      if (this.#first === this.#pieces.length) {
        this.#pieces.length = 0;
        this.#first = 0;
      }
    } else throw new IpcError("IPC_MALFORMED", `an unexpected record of kind ${kind}`);
  }

  protected override deliverOne(): boolean {
    if (this.#next >= this.#inbox.length) return false;
    const offset = this.#inbox[this.#next++] as number;
    const length = this.#inbox[this.#next++] as number;
    if (this.#next === this.#inbox.length) {
      this.#inbox.length = 0;
      this.#next = 0;
    }
    const start = this.#inBase + offset;
    this.handler.onMessage(this.#bytes.subarray(start, start + length), this);
    // A closing side needs no room, and a write to a dead socket would lose unread input.
    if (!this.mapping.closed && !this.socket.writableEnded && !this.otherCloses())
      this.#sendRecord(Record.release, 0, 0);
    return true;
  }

  protected override awaitsRoom(): boolean {
    return this.#wantsRoom;
  }

  protected override rest(): boolean {
    return false;
  }
}

/** Large payloads in shared memory, their descriptors through a Unix socket. */
export const shmDescriptor: Transport = agreedTransport(
  { id: ID, capacity: ARENA_BYTES, maxClients: MAX_CLIENTS },
  { maxMessageBytes: ARENA_BYTES / 2, boundaries: "library" },
  (agreed, handler, onEnd) => new DescriptorConnection(agreed, handler, onEnd),
);
