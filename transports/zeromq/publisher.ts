import type { Message, XPublisher } from "zeromq";
import type { ConnectionHandler } from "../contract/transport.ts";
import { ZeromqConnection } from "./connection.ts";
import { commonOptions, highWaterMarks, type Library } from "./library.ts";

const SUBSCRIBE = 1;

/**
 * XPUB: one connection stands for all subscribers. It opens with the first subscription and ends with the last
 * subscriber, so a server learns that somebody listens, which a plain PUB socket never does.
 */
export class PublisherService {
  readonly socket: XPublisher;
  readonly #transport: string;
  readonly #handler: ConnectionHandler;
  #subscribers = 0;
  #connection: ZeromqConnection | undefined;

  /** @param noDrop true: a full subscriber stops the publisher; false: it loses messages, as with PUB. */
  constructor(library: Library, transport: string, handler: ConnectionHandler, noDrop: boolean) {
    this.#transport = transport;
    this.#handler = handler;
    this.socket = new library.XPublisher({
      ...commonOptions(library),
      ...highWaterMarks,
      noDrop,
      // Every subscription is reported, also the second and later ones to the same topic: they are counted here.
      verbosity: "allSubsUnsubs",
      sendTimeout: 0,
    });
  }

  async run(): Promise<void> {
    while (!this.socket.closed) {
      let parts: Message[];
      try {
        parts = await this.socket.receive();
      } catch {
        return;
      }
      if (parts[0]?.[0] === SUBSCRIBE) this.#joined();
      else this.#left();
    }
  }

  #joined(): void {
    this.#subscribers++;
    if (this.#connection && !this.#connection.ended) return;
    const { socket } = this;
    this.#connection = new ZeromqConnection(
      {
        transport: this.#transport,
        transmit: (message) => socket.send(message),
        setPaused() {},
        release() {},
      },
      this.#handler,
    );
    this.#connection.open();
  }

  #left(): void {
    this.#subscribers = Math.max(0, this.#subscribers - 1);
    if (this.#subscribers === 0) this.#connection?.end();
  }

  async close(lingerMs: number): Promise<void> {
    await this.#connection?.close().catch(() => undefined);
    if (this.socket.closed) return;
    this.socket.linger = lingerMs;
    this.socket.close();
  }
}
