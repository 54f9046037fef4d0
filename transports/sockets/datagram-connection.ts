import type { Socket } from "node:net";
import { IpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler } from "../contract/transport.ts";
import { libc } from "../posix/binding.ts";
import { EAGAIN, EINTR, errnoName } from "../posix/errno.ts";
import { Mapping } from "../posix/mapping.ts";
import { MSG_DONTWAIT, MSG_NOSIGNAL, POLLIN, POLLOUT } from "../posix/unix-socket.ts";
import { ClosesOnce } from "../support/closing.ts";
import { adoptDescriptor } from "../support/pipe-handle.ts";
import { WordCopy } from "../support/word-copy.ts";

/** Kinds of datagrams: the lowest byte of their first word, so that none is empty, which would look like an end. */
export const Kind = { data: 1, hello: 2, welcome: 3, ready: 4, bye: 5, ping: 6 } as const;
export const KIND_BYTES = 4;
/** Size of libuv's read buffer. libuv silently cuts longer datagrams, so one that fills the buffer is refused. */
const READ_BYTES = 65_536;
export const MAX_MESSAGE_BYTES: number = READ_BYTES - 2 * KIND_BYTES;

/** Interval of pings, ms. Only sending shows that a peer died, so a side with nothing to read sends pings. */
const PING_MS = 50;
const HURRIED_TURNS = 20;
const RETRY_MS = 1;
const SEND_FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL;

/** One end of a connected pair of datagram sockets. */
export class DatagramConnection extends ClosesOnce implements Connection {
  readonly #id: string;
  readonly #fd: number;
  readonly #socket: Socket;
  readonly #handler: ConnectionHandler;
  readonly #libc = libc();
  readonly #scratch = Mapping.anonymous(READ_BYTES);
  readonly #start = this.#scratch.pointer(0);
  readonly #pollEntry = Mapping.anonymous(8);
  readonly #copy = new WordCopy(this.#scratch.bytes, this.#scratch.words);
  readonly #ping: NodeJS.Timeout;
  readonly #onEnd: () => void;
  #open = true;
  #ended = false;
  #blocked = false;
  #paused = false;
  #tries = 0;
  #retry: NodeJS.Timeout | NodeJS.Immediate | undefined;

  /** @param fd a connected, non-blocking datagram socket; closed with this object */
  constructor(id: string, fd: number, handler: ConnectionHandler, onEnd: () => void) {
    super();
    this.#id = id;
    this.#fd = fd;
    this.#handler = handler;
    this.#onEnd = onEnd;
    this.#pollEntry.words[0] = fd;
    this.#socket = adoptDescriptor(fd);
    this.#socket.on("error", (error) => this.#end(this.#error("IPC_PEER_LOST", error.message)));
    this.#socket.on("end", () => this.#end(this.#error("IPC_MALFORMED", "an empty datagram")));
    this.#socket.pause();
    this.#ping = setInterval(() => this.#sayPing(), PING_MS);
  }

  /** Begins delivering. */
  start(): void {
    this.#handler.onOpen(this);
    this.#socket.on("data", (datagram: Buffer) => this.#receive(datagram));
    // Attaching a `data` listener made the socket flow, so pause or resume it again.
    if (!this.#ended && !this.#paused) this.#socket.resume();
    else if (!this.#ended) this.#socket.pause();
  }

  #receive(datagram: Buffer): void {
    if (this.#ended) return;
    if (datagram.length < KIND_BYTES || datagram.length >= READ_BYTES) {
      this.#end(this.#error("IPC_MALFORMED", `a datagram of ${datagram.length} bytes`));
      return;
    }
    switch (datagram[0]) {
      case Kind.data:
        if (this.#open) this.#handler.onMessage(datagram.subarray(KIND_BYTES), this);
        return;
      case Kind.bye:
        return this.#end();
      case Kind.ping:
      case Kind.ready:
        return;
      default:
        this.#end(this.#error("IPC_MALFORMED", `a datagram of kind ${datagram[0]}`));
    }
  }

  send(message: Uint8Array): boolean {
    if (!this.#open) throw this.#error("IPC_CLOSED", "this end is closed");
    if (message.length > MAX_MESSAGE_BYTES) {
      throw this.#error(
        "IPC_TOO_LARGE",
        `${message.length} bytes exceed ${MAX_MESSAGE_BYTES}, the most that libuv reads at once`,
      );
    }
    if (this.#blocked) return false;
    this.#copy.write(message, KIND_BYTES);
    if (this.#transmit(Kind.data, KIND_BYTES + message.length)) return true;
    this.#blocked = true;
    this.#awaitRoom();
    return false;
  }

  /** @returns false when there is no room; a lost peer ends the connection, in a later turn */
  #transmit(kind: number, bytes: number): boolean {
    this.#scratch.words[0] = kind;
    const sent = this.#libc.send(this.#fd, this.#start, bytes, SEND_FLAGS);
    if (sent >= 0) return true;
    const failure = this.#libc.errno();
    if (failure === EAGAIN || failure === EINTR) return false;
    const error = this.#error("IPC_PEER_LOST", `the other side is gone (${errnoName(failure)})`, errnoName(failure));
    setImmediate(() => this.#end(error));
    this.#open = false;
    return false;
  }

  /** Returns `true` if the event is ready, or if the socket has an error that the next call reports. */
  #polled(event: number): boolean {
    this.#pollEntry.words[1] = event;
    return this.#libc.poll(this.#pollEntry.pointer(0), 1, 0) > 0;
  }

  /** Polls for room in the other side's queue, for which there is no event: first in each turn, then with a timer. */
  #awaitRoom(): void {
    if (this.#retry !== undefined) return;
    const look = (): void => {
      this.#retry = undefined;
      if (!this.#ended && this.#blocked) this.#lookForRoom();
    };
    this.#retry = ++this.#tries <= HURRIED_TURNS ? setImmediate(look) : setTimeout(look, RETRY_MS);
  }

  #lookForRoom(): void {
    if (!this.#polled(POLLOUT)) return this.#awaitRoom();
    this.#blocked = false;
    this.#tries = 0;
    if (this.#open) this.#handler.onWritable(this);
  }

  /** Sends a ping unless there is unread data, which Linux would discard if the send finds the peer gone. */
  #sayPing(): void {
    if (!this.#open || this.#paused || this.#hasUnread()) return;
    this.#transmit(Kind.ping, KIND_BYTES);
  }

  #hasUnread(): boolean {
    return this.#polled(POLLIN) && ((this.#pollEntry.words[1] as number) & (POLLIN << 16)) !== 0;
  }

  /** Sends a datagram without a body. */
  say(kind: number): boolean {
    return this.#transmit(kind, KIND_BYTES);
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (!this.#ended) this.#socket.resume();
  }

  /** Closes. All datagrams sent are in the other side's queue already; only the goodbye may have to wait for room. */
  protected override async closeOnce(timeoutMs: number): Promise<void> {
    const untilMs = performance.now() + timeoutMs;
    const wasOpen = this.#open;
    this.#open = false;
    await Promise.resolve();
    let said = !wasOpen || this.#ended;
    while (!said && !this.#ended) {
      said = this.say(Kind.bye);
      if (said || performance.now() > untilMs) break;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    const late = !said && !this.#ended;
    this.#end();
    if (late) throw this.#error("IPC_TIMEOUT", `the other side did not read for ${timeoutMs} ms`);
  }

  #end(error?: IpcError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#open = false;
    clearInterval(this.#ping);
    clearImmediate(this.#retry as NodeJS.Immediate | undefined);
    clearTimeout(this.#retry as NodeJS.Timeout | undefined);
    this.#socket.destroy();
    this.#scratch.close();
    this.#pollEntry.close();
    this.#onEnd();
    if (error === undefined) this.#handler.onClose(this);
    else this.#handler.onClose(this, error);
  }

  #error(code: IpcError["code"], text: string, errno?: string): IpcError {
    return new IpcError(code, `${this.#id}: ${text}`, {
      transport: this.#id,
      ...(errno === undefined ? {} : { errno }),
    });
  }
}
