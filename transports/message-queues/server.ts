import { IpcError, isIpcError } from "../contract/errors.ts";
import type { Address, BlockingConnection, BlockingServer } from "../contract/transport.ts";
import { isOwned } from "../posix/lock.ts";
import { MessageQueue } from "../posix/message-queue.ts";
import { SLICE_MS } from "../posix/slice.ts";
import { WordCopy } from "../support/word-copy.ts";
import type { QueueBudget } from "./budget.ts";
import { claimName } from "./claim.ts";
import { Outgoing } from "./outgoing.ts";
import {
  closed,
  Kind,
  kindOf,
  lost,
  MOST_CLIENTS,
  PREFIX_BYTES,
  readFirstWord,
  readToken,
  removeNames,
  slotName,
  slotOf,
  VERSION,
  versionOf,
} from "./protocol.ts";

/** Messages received without a pause after which the server checks again which clients live. */
const BUSY_RECEIVES = 4096;
const CLOSE_MS = 20;
/** Number of foreign messages that `receive` still skips after its time is over; the next call skips the rest. */
const PASSED_AT_ONCE = 8;

/** The server's end of one client's connection. It can only send, because all clients share the request queue. */
export class QueueServerConnection implements BlockingConnection {
  readonly #id: string;
  readonly outgoing: Outgoing;
  readonly token: number;
  endedOrderly = false;
  #open = true;
  readonly #isClientAlive = (): boolean => this.outgoing.isHeard();

  constructor(id: string, outgoing: Outgoing, token: number) {
    this.#id = id;
    this.outgoing = outgoing;
    this.token = token;
  }

  send(message: Uint8Array, timeoutMs: number): boolean {
    if (!this.#open) throw this.endedOrderly ? lost(this.#id, "the client has left") : closed(this.#id);
    if (this.outgoing.send(message, timeoutMs, this.#isClientAlive)) return true;
    if (!this.#isClientAlive()) throw lost(this.#id, "the client is gone");
    return false;
  }

  receive(): number {
    throw new IpcError(
      "IPC_UNSUPPORTED",
      `${this.#id}: all clients share the server's queue; call receive on the server`,
      { transport: this.#id },
    );
  }

  hasRoom(): boolean {
    return !this.#open || this.outgoing.hasRoom();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    if (!this.endedOrderly) this.outgoing.say(Kind.bye, CLOSE_MS);
    this.outgoing.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The listening end: one request queue for all clients. */
export class QueueServer implements BlockingServer {
  readonly address: Address;
  readonly #id: string;
  readonly #budget: QueueBudget;
  readonly #requests: MessageQueue;
  readonly #copy: WordCopy;
  readonly #clients: (QueueServerConnection | undefined)[];
  #from: QueueServerConnection | undefined;
  #receives = 0;
  #housekeptMs = performance.now();
  #open = true;
  /** True if the last `receive` returned -1 although messages may be left: it skipped some that were for others. */
  hasMore = false;

  constructor(id: string, budget: QueueBudget, address: Address) {
    this.#id = id;
    this.#budget = budget;
    this.address = address;
    this.#clients = new Array<QueueServerConnection | undefined>(budget.maxClients).fill(undefined);
    this.#requests = claimName(id, budget, address.name);
    this.#copy = new WordCopy(this.#requests.scratch, this.#requests.scratchWords);
  }

  get from(): BlockingConnection | undefined {
    return this.#from;
  }

  get connections(): readonly QueueServerConnection[] {
    return this.#clients.filter((client) => client !== undefined);
  }

  /** Queue in which requests arrive; the owner requests notifications for it. */
  get requests(): MessageQueue {
    return this.#requests;
  }

  receive(into: Uint8Array, timeoutMs: number): number {
    if (!this.#open) throw closed(this.#id);
    if (++this.#receives >= BUSY_RECEIVES) this.#housekeep(performance.now());
    let untilMs = timeoutMs < SLICE_MS ? performance.now() + timeoutMs : 0;
    let passed = 0;
    for (;;) {
      const length = untilMs === 0 ? this.#requests.receiveSlice() : this.#receiveUntil(untilMs);
      if (length >= 0) {
        const bytes = this.#take(length, into);
        if (bytes >= 0) return bytes;
        passed++;
      }
      const nowMs = performance.now();
      // Reads the clock only after an empty slice, so a wait may last a slice longer than the timeout, never less.
      if (untilMs === 0) untilMs = nowMs + timeoutMs;
      if (nowMs - this.#housekeptMs >= SLICE_MS) this.#housekeep(nowMs);
      if (nowMs < untilMs) continue;
      this.hasMore = length >= 0;
      if (length < 0 || passed >= PASSED_AT_ONCE) return -1;
    }
  }

  #receiveUntil(untilMs: number): number {
    return this.#requests.receiveScratch(Math.max(0, Math.min(untilMs - performance.now(), SLICE_MS)));
  }

  /** @returns the length of the message, or -1 if it was not for the caller. Drops messages that no client sent. */
  #take(length: number, into: Uint8Array): number {
    const word = readFirstWord(this.#requests);
    if (length < PREFIX_BYTES || versionOf(word) !== VERSION) return -1;
    const token = readToken(this.#requests);
    const kind = kindOf(word);
    if (kind === Kind.hello && length === PREFIX_BYTES) {
      this.#welcome(slotOf(word), token);
      return -1;
    }
    const client = this.#clients[slotOf(word)];
    if (client === undefined || client.token !== token) return -1;
    if (kind === Kind.bye) {
      client.endedOrderly = true;
      this.#forget(client);
      return -1;
    }
    if (kind !== Kind.data) return -1;
    this.#from = client;
    return this.#copyOut(length - PREFIX_BYTES, into);
  }

  #copyOut(bytes: number, into: Uint8Array): number {
    if (bytes > into.length) {
      throw new IpcError("IPC_TOO_LARGE", `${this.#id}: a message of ${bytes} bytes does not fit in ${into.length}`, {
        transport: this.#id,
      });
    }
    this.#copy.read(into, PREFIX_BYTES, bytes);
    return bytes;
  }

  #welcome(nameSlot: number, token: number): void {
    if (nameSlot >= MOST_CLIENTS) return;
    const name = slotName(this.address.name, nameSlot);
    let replies: MessageQueue;
    try {
      replies = MessageQueue.open(name, { nonBlocking: true });
    } catch (error) {
      // The client gave up, or a foreign process sent a hello only.
      if (isIpcError(error)) return;
      throw error;
    }
    let number = this.#clients.indexOf(undefined);
    if (number < 0) {
      this.#housekeep(performance.now());
      number = this.#clients.indexOf(undefined);
    }
    const outgoing = new Outgoing(this.#id, replies, Math.max(number, 0), token);
    const isFit = replies.shape.maxMessageBytes >= this.#budget.messageBytes && isOwned(replies.fd);
    // Both ends have the queue open, so it needs no name, and no name can outlive them.
    if (isFit) MessageQueue.unlink(name);
    if (!isFit || number < 0 || !outgoing.say(Kind.welcome)) {
      if (isFit) outgoing.say(Kind.refusal);
      outgoing.close();
      return;
    }
    this.#clients[number] = new QueueServerConnection(this.#id, outgoing, token);
  }

  #housekeep(nowMs: number): void {
    this.#housekeptMs = nowMs;
    this.#receives = 0;
    for (const client of this.#clients) {
      if (client !== undefined && !client.outgoing.isHeard()) this.#forget(client);
    }
  }

  #forget(client: QueueServerConnection): void {
    this.#clients[this.#clients.indexOf(client)] = undefined;
    client.close();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    // The names go first, so that nobody can connect from here on.
    removeNames(this.address.name);
    for (const client of this.#clients) client?.close();
    this.#requests.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
