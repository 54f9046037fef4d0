import { IpcError } from "../contract/errors.ts";
import type { BlockingConnection } from "../contract/transport.ts";
import { SLICE_MS } from "../posix/slice.ts";
import type { Memory } from "./layout.ts";
import { type Awaited, type Parker, ParkReason } from "./parker.ts";
import { largestMessage, RingReader, type RingRegion, RingWriter, SLOW_PATH } from "./ring.ts";

/** Time after which a waiting side checks again if its peer lives. The first time may be a slice longer. */
const LIVENESS_MS = 20;

/** Number of checks that a spinning side makes first, about two microseconds: most replies come in this time. */
export const FIRST_LOOKS = 4096;

export interface LinkParts {
  readonly transport: string;
  readonly mapping: Memory;
  readonly incoming: RingRegion;
  readonly outgoing: RingRegion;
  /** Parker on which this side sleeps. */
  readonly own: Parker;
  /** Parker on which the other side sleeps. */
  readonly peer: Parker;
  /** Reasons for which this side and (peerRoom) the other side wait for room in this connection. */
  readonly ownRoom: number;
  readonly peerRoom: number;
  readonly ownClosedWord: number;
  readonly peerClosedWord: number;
  /** Returns false once the other side has died. */
  readonly peerLives: () => boolean;
  /** Signals the other process, in addition to the word of this connection, to check which connection has ended. */
  readonly announceEnd?: () => void;
  /** Frees the resources of this side of the connection. */
  readonly dispose: () => void;
}

/** One end of a pair of rings, at the client or at the server. */
export class RingConnection implements BlockingConnection {
  readonly #parts: LinkParts;
  readonly #reader: RingReader;
  readonly #writer: RingWriter;
  readonly #own: Parker;
  readonly #peer: Parker;
  readonly #room: SpaceAvailable;
  readonly #words: Int32Array;
  readonly #peerClosedWord: number;
  readonly #largest: number;
  readonly #spins: boolean;
  #open = true;
  /** True once the connection is closed here, or over. */
  #ended = false;
  #checkedMs = performance.now();
  /** Error that ended the connection, if it is over. */
  #over: IpcError | undefined;
  /** True if the other side closed the connection and did not die. */
  endedOrderly = false;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#words = parts.mapping.words;
    this.#peerClosedWord = parts.peerClosedWord;
    this.#reader = new RingReader(parts.incoming, parts.own.spins);
    this.#writer = new RingWriter(parts.outgoing);
    this.#own = parts.own;
    this.#peer = parts.peer;
    this.#largest = largestMessage(parts.outgoing.capacity);
    this.#spins = parts.own.spins;
    this.#room = new SpaceAvailable(this.#writer);
  }

  send(message: Uint8Array, timeoutMs: number): boolean {
    if (this.isOver || message.length > this.#largest) this.#refuse(message.length);
    if (!this.#writer.writeFast(message) && !this.#write(message) && !this.#sendSlowly(message, timeoutMs))
      return false;
    if (!this.#spins) this.#peer.wakeFrom(ParkReason.data);
    return true;
  }

  receive(into: Uint8Array, timeoutMs: number): number {
    if (this.#spins && timeoutMs > 0) this.#reader.peek(FIRST_LOOKS);
    const length = this.receiveNow(into);
    return length >= 0 ? length : this.#receiveSlowly(into, timeoutMs, length);
  }

  /** Takes the next message, if it is on the fast path. @returns its length, -1 for none, or {@link SLOW_PATH} */
  receiveNow(into: Uint8Array): number {
    if (!this.#open) this.#refuse(0);
    const length = this.#reader.readFast(into);
    if (this.#reader.freed) this.#announceFreed();
    return length;
  }

  /** Takes the next message on the slow path, if there is one. */
  receiveSlow(into: Uint8Array): number {
    let length: number;
    try {
      length = this.#reader.readSlow(into);
    } catch (error) {
      throw this.#failed(error);
    }
    if (this.#reader.freed) this.#announceFreed();
    return length;
  }

  #announceFreed(): void {
    this.#reader.freed = false;
    this.#peer.wakeFrom(this.#parts.peerRoom);
  }

  /** True when the other side has written something. */
  isReady(): boolean {
    return this.#reader.isReady();
  }

  peek(looks: number): boolean {
    return this.#reader.peek(looks);
  }

  /** True when a message of that size fits now. */
  hasRoom(bytes: number): boolean {
    this.#room.bytes = bytes;
    return this.isOver || this.#room.isReady();
  }

  get isOver(): boolean {
    return this.#ended;
  }

  /** True if no more message can come: the other side has closed or died, and its last message has been read. */
  isFinished(nowMs: number): boolean {
    if (this.isOver) return true;
    // The closed word is read before the ring, so that messages written before closing are seen.
    if (!this.#isPeerGone(nowMs) || this.#reader.isReady()) return false;
    this.#endWith(this.#lost());
    return true;
  }

  #write(message: Uint8Array): boolean {
    try {
      return this.#writer.tryWrite(message);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #sendSlowly(message: Uint8Array, timeoutMs: number): boolean {
    const startMs = performance.now();
    this.#room.bytes = message.length;
    for (;;) {
      const nowMs = performance.now();
      if (this.#isPeerGone(nowMs)) {
        throw this.#endWith(this.#lost());
      }
      const leftMs = startMs + timeoutMs - nowMs;
      if (leftMs <= 0) return false;
      this.#own.waitFor(this.#room, this.#parts.ownRoom, Math.min(leftMs, LIVENESS_MS));
      if (this.#write(message)) return true;
    }
  }

  /** Reads the clock only after an empty slice, so a wait may last a slice longer than the timeout, never less. */
  #receiveSlowly(into: Uint8Array, timeoutMs: number, found: number): number {
    if (found === SLOW_PATH) {
      const length = this.receiveSlow(into);
      if (length >= 0) return length;
    }
    if (timeoutMs < SLICE_MS) return this.#receiveUntil(into, performance.now() + timeoutMs);
    // A plain load is enough: if it misses an end, the check after the wait finds it.
    if (this.#words[this.#peerClosedWord] === 0) {
      this.#own.waitFor(this.#reader, ParkReason.data, SLICE_MS);
      const length = this.#tryReceive(into);
      if (length >= 0) return length;
    }
    return this.#receiveUntil(into, performance.now() + timeoutMs);
  }

  #receiveUntil(into: Uint8Array, untilMs: number): number {
    for (;;) {
      const nowMs = performance.now();
      if (this.isFinished(nowMs)) throw this.#over as IpcError;
      if (nowMs >= untilMs) {
        // Gives back the room of read messages; otherwise a caller that only polls would keep it.
        if (this.#own.spins) this.#reader.isReady();
        return -1;
      }
      this.#own.waitFor(this.#reader, ParkReason.data, Math.min(untilMs - nowMs, LIVENESS_MS));
      const length = this.#tryReceive(into);
      if (length >= 0) return length;
    }
  }

  #tryReceive(into: Uint8Array): number {
    const length = this.receiveNow(into);
    return length === SLOW_PATH ? this.receiveSlow(into) : length;
  }

  /** True once the peer is gone. Orderly ends show at once, dead processes within a slice. */
  #isPeerGone(nowMs: number): boolean {
    if (this.#hasPeerClosed()) {
      this.endedOrderly = true;
      return true;
    }
    if (nowMs - this.#checkedMs < LIVENESS_MS / 2) return false;
    this.#checkedMs = nowMs;
    return !this.#parts.peerLives();
  }

  #hasPeerClosed(): boolean {
    return Atomics.load(this.#words, this.#peerClosedWord) !== 0;
  }

  #lost(): IpcError {
    const how = this.endedOrderly ? "the other side closed the connection" : "the other process is gone";
    return new IpcError("IPC_PEER_LOST", `${this.#parts.transport}: ${how}`, { transport: this.#parts.transport });
  }

  /** Converts an error. An invalid ring ends the connection; a message too large for the buffer does not. */
  #failed(error: unknown): unknown {
    if (!(error instanceof IpcError) || error.code !== "IPC_MALFORMED") return error;
    const { transport } = this.#parts;
    return this.#endWith(new IpcError("IPC_MALFORMED", `${transport}: ${error.message}`, { transport }));
  }

  #endWith(error: IpcError): IpcError {
    this.#over = error;
    this.#ended = true;
    return error;
  }

  #refuse(bytes: number): never {
    const { transport } = this.#parts;
    if (!this.#open) throw new IpcError("IPC_CLOSED", `${transport}: this end is closed`, { transport });
    if (this.#over !== undefined) throw this.#over;
    throw new IpcError(
      "IPC_TOO_LARGE",
      `${transport}: ${bytes} bytes exceed ${this.#largest}, half a ring: raise options.ringBytes of the address`,
      { transport },
    );
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#ended = true;
    Atomics.store(this.#parts.mapping.words, this.#parts.ownClosedWord, 1);
    this.#parts.announceEnd?.();
    this.#peer.wakeAnyway();
    this.#parts.dispose();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Condition of a producer that waits for space. */
class SpaceAvailable implements Awaited {
  readonly #writer: RingWriter;
  bytes = 0;

  constructor(writer: RingWriter) {
    this.#writer = writer;
  }

  isReady(): boolean {
    try {
      return this.#writer.hasRoom(this.bytes);
    } catch {
      // The write that follows finds the same invalid position and ends the connection.
      return true;
    }
  }

  peek(): boolean {
    return this.isReady();
  }
}
