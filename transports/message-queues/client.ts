import { IpcError, isIpcError } from "../contract/errors.ts";
import type { Address, BlockingConnection } from "../contract/transport.ts";
import { isOwned, tryLockExclusive } from "../posix/lock.ts";
import { MessageQueue } from "../posix/message-queue.ts";
import { SLICE_MS } from "../posix/slice.ts";
import { WordCopy } from "../support/word-copy.ts";
import type { QueueBudget } from "./budget.ts";
import { Outgoing } from "./outgoing.ts";
import {
  closed,
  firstWord,
  Kind,
  kindOf,
  lost,
  MOST_CLIENTS,
  newToken,
  PREFIX_BYTES,
  readFirstWord,
  readToken,
  slotName,
  slotOf,
} from "./protocol.ts";

/** Time after which a waiting client checks again if the server lives. The first time may be a slice longer. */
const LIVENESS_MS = 20;

/** A client's end: sends to the server's queue, receives from its own. */
export class QueueClient implements BlockingConnection {
  readonly #id: string;
  readonly #replies: MessageQueue;
  readonly #outgoing: Outgoing;
  readonly #copy: WordCopy;
  readonly #expected: number;
  readonly #token: number;
  readonly #isServerAlive = (): boolean => this.#outgoing.isHeard();
  #open = true;
  #over: IpcError | undefined;
  #checkedMs = performance.now();
  endedOrderly = false;

  constructor(id: string, requests: MessageQueue, replies: MessageQueue, slot: number, token: number) {
    this.#id = id;
    this.#replies = replies;
    this.#outgoing = new Outgoing(id, requests, slot, token);
    this.#copy = new WordCopy(replies.scratch, replies.scratchWords);
    this.#expected = firstWord(Kind.data, slot);
    this.#token = token;
  }

  /** Queue in which replies arrive; the owner requests notifications for it. */
  get replies(): MessageQueue {
    return this.#replies;
  }

  send(message: Uint8Array, timeoutMs: number): boolean {
    this.#check();
    if (this.#outgoing.send(message, timeoutMs, this.#isServerAlive)) return true;
    if (!this.#isServerAlive()) throw this.#lose("the server is gone");
    return false;
  }

  receive(into: Uint8Array, timeoutMs: number): number {
    this.#check();
    let untilMs = timeoutMs < SLICE_MS ? performance.now() + timeoutMs : 0;
    for (;;) {
      const length = untilMs === 0 ? this.#replies.receiveSlice() : this.#receiveUntil(untilMs);
      if (length >= 0) {
        const bytes = this.#take(length, into);
        if (bytes >= 0) return bytes;
      }
      const nowMs = performance.now();
      // Reads the clock only after an empty slice, so a wait may last a slice longer than the timeout, never less.
      if (untilMs === 0) untilMs = nowMs + timeoutMs;
      this.#checkServer(nowMs);
      if (nowMs >= untilMs) return -1;
    }
  }

  #receiveUntil(untilMs: number): number {
    return this.#replies.receiveScratch(Math.max(0, Math.min(untilMs - performance.now(), LIVENESS_MS)));
  }

  /** @returns the length of the message, or -1 if it was not for the caller */
  #take(length: number, into: Uint8Array): number {
    const word = readFirstWord(this.#replies);
    const isOurs = length >= PREFIX_BYTES && readToken(this.#replies) === this.#token;
    if (isOurs && word === this.#expected) {
      const bytes = length - PREFIX_BYTES;
      if (bytes > into.length) {
        throw new IpcError("IPC_TOO_LARGE", `${this.#id}: a message of ${bytes} bytes does not fit in ${into.length}`, {
          transport: this.#id,
        });
      }
      this.#copy.read(into, PREFIX_BYTES, bytes);
      return bytes;
    }
    if (isOurs && kindOf(word) === Kind.bye) {
      this.endedOrderly = true;
      throw this.#lose("the server closed the connection");
    }
    this.#over = new IpcError("IPC_MALFORMED", `${this.#id}: the reply queue holds a message that is no reply`, {
      transport: this.#id,
    });
    throw this.#over;
  }

  #checkServer(nowMs: number): void {
    if (nowMs - this.#checkedMs < LIVENESS_MS / 2) return;
    this.#checkedMs = nowMs;
    // Checked before the queue, so that the last message of the server is still read.
    if (!this.#isServerAlive() && this.#replies.attributes().currentMessages === 0) {
      throw this.#lose("the server is gone");
    }
  }

  hasRoom(): boolean {
    return this.#over !== undefined || this.#outgoing.hasRoom();
  }

  #lose(how: string): IpcError {
    this.#over = lost(this.#id, how);
    return this.#over;
  }

  #check(): void {
    if (!this.#open) throw closed(this.#id);
    if (this.#over !== undefined) throw this.#over;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    // If this message gets lost, the server notices a little later that our lock is gone.
    if (this.#over === undefined) this.#outgoing.say(Kind.bye);
    this.#outgoing.close();
    this.#replies.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Makes a reply queue, sends hello, waits for the welcome. */
export function connectQueue(id: string, budget: QueueBudget, address: Address, timeoutMs: number): QueueClient {
  const opening = new QueueOpening(id, budget, address, timeoutMs);
  for (;;) {
    const client = opening.step(SLICE_MS);
    if (client !== undefined) return client;
  }
}

/** A connection that is opened step by step. After an error it leaves nothing behind. */
export class QueueOpening {
  readonly #id: string;
  readonly #name: string;
  readonly #untilMs: number;
  readonly #token = newToken();
  readonly #requests: MessageQueue;
  readonly #replies: MessageQueue;
  readonly #slot: number;
  readonly #server: Outgoing;
  #saidHello = false;

  constructor(id: string, budget: QueueBudget, address: Address, timeoutMs: number) {
    this.#id = id;
    this.#name = address.name;
    this.#untilMs = performance.now() + timeoutMs;
    this.#requests = MessageQueue.open(address.name, { nonBlocking: true });
    try {
      if (!isOwned(this.#requests.fd)) throw lost(id, `nobody listens at ${address.name} any more`);
      ({ slot: this.#slot, replies: this.#replies } = makeReplyQueue(id, budget, this.#requests));
    } catch (error) {
      this.#requests.close();
      throw error;
    }
    this.#server = new Outgoing(id, this.#requests, this.#slot, this.#token);
  }

  /** Waits for at most `waitMs`. @returns the client once it has been welcomed */
  step(waitMs: number): QueueClient | undefined {
    try {
      const number = this.#step(Math.max(0, Math.min(waitMs, this.#untilMs - performance.now())));
      if (number < 0) return undefined;
      return new QueueClient(this.#id, this.#requests, this.#replies, number, this.#token);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  abandon(): void {
    this.#requests.close();
    this.#replies.close();
    MessageQueue.unlink(slotName(this.#name, this.#slot));
  }

  /** @returns the number that the server assigned, or -1 */
  #step(waitMs: number): number {
    if (!this.#saidHello) {
      this.#saidHello = this.#server.say(Kind.hello, waitMs);
      if (!this.#saidHello) this.#checkServer();
      return -1;
    }
    const length = this.#replies.receiveScratch(waitMs);
    // The queue has a name until the welcome, so other processes may write to it too.
    if (length !== PREFIX_BYTES || readToken(this.#replies) !== this.#token) {
      this.#checkServer();
      return -1;
    }
    const word = readFirstWord(this.#replies);
    if (kindOf(word) === Kind.welcome) return slotOf(word);
    if (kindOf(word) === Kind.refusal) throw lost(this.#id, "the server has as many clients as it takes");
    throw new IpcError("IPC_MALFORMED", `${this.#id}: the server's answer is no welcome`, {
      transport: this.#id,
    });
  }

  #checkServer(): void {
    if (!this.#server.isHeard()) throw lost(this.#id, "the server is gone");
    if (performance.now() < this.#untilMs) return;
    throw new IpcError("IPC_TIMEOUT", `${this.#id}: the server did not accept in time: is it in receive()?`, {
      transport: this.#id,
    });
  }
}

function makeReplyQueue(
  id: string,
  budget: QueueBudget,
  { name, shape: { maxMessageBytes } }: MessageQueue,
): { slot: number; replies: MessageQueue } {
  // Messages as large as those of the server, which may have been started under other limits.
  const shape = { maxMessages: budget.replyDepth, maxMessageBytes };
  for (let slot = 0; slot < MOST_CLIENTS; slot++) {
    try {
      const replies = MessageQueue.create(slotName(name, slot), shape);
      if (tryLockExclusive(replies.fd)) return { slot, replies };
      replies.close();
    } catch (error) {
      if (!isIpcError(error) || error.errno !== "EEXIST") throw error;
      // Names exist only until the welcome. So if one has no owner, its client was killed before that.
      if (isAbandoned(slotName(name, slot))) MessageQueue.unlink(slotName(name, slot--));
    }
  }
  throw new IpcError("IPC_TIMEOUT", `${id}: ${MOST_CLIENTS} clients are connecting at this moment: try again`, {
    transport: id,
  });
}

function isAbandoned(name: string): boolean {
  try {
    const queue = MessageQueue.open(name);
    try {
      return tryLockExclusive(queue.fd);
    } finally {
      queue.close();
    }
  } catch {
    return false;
  }
}
