import { closeSync, constants as fs } from "node:fs";
import { Socket } from "node:net";
import { StringDecoder } from "node:string_decoder";
import type { Address, ConnectionHandler, Server } from "../contract/transport.ts";
import { StreamConnection } from "../support/stream-connection.ts";
import { Welcome } from "./fifo-client.ts";
import { MAX_CLIENTS, openFifo, removeAll, removeSlot, slotNames } from "./fifo-names.ts";

/** A hello line is a dozen bytes; what grows beyond this without a line feed is nobody's. */
const HELLO_LIMIT_CHARS = 64;

/** Reads hello lines from one FIFO and serves each newcomer on a pair of its own. */
export class FifoServer implements Server {
  readonly address: Address;
  readonly #transport: string;
  readonly #maxMessageBytes: number;
  readonly #handler: ConnectionHandler;
  readonly #hello: Socket;
  readonly #connections = new Set<StreamConnection>();
  readonly #text = new StringDecoder("latin1");
  #line = "";
  #closing: Promise<void> | undefined;

  /** `descriptor` is the hello FIFO, open for both directions so that it never reports an end of file. */
  constructor(
    transport: string,
    address: Address,
    descriptor: number,
    maxMessageBytes: number,
    handler: ConnectionHandler,
  ) {
    this.#transport = transport;
    this.address = address;
    this.#maxMessageBytes = maxMessageBytes;
    this.#handler = handler;
    this.#hello = new Socket({ fd: descriptor, readable: true, writable: false });
    this.#hello.on("error", () => undefined);
    this.#hello.on("data", (chunk: Buffer) => this.#read(chunk));
  }

  #read(chunk: Buffer): void {
    const lines = (this.#line + this.#text.write(chunk)).split("\n");
    this.#line = (lines.pop() ?? "").slice(-HELLO_LIMIT_CHARS);
    for (const line of lines) {
      const slot = /^hello (\d{1,3})$/.exec(line)?.[1];
      if (slot !== undefined && Number(slot) < MAX_CLIENTS) this.#accept(Number(slot));
    }
  }

  #accept(slot: number): void {
    const { up, down } = slotNames(this.address.name, slot);
    const from = openFifo(up, fs.O_RDONLY);
    // Fails when the client is gone already: nobody holds the reading end.
    const to = openFifo(down, fs.O_WRONLY);
    removeSlot(this.address.name, slot);
    if (from === undefined || to === undefined) {
      for (const descriptor of [from, to]) if (descriptor !== undefined) closeSync(descriptor);
      return;
    }
    const input = new Socket({ fd: from, readable: true, writable: false });
    const output = new Socket({ fd: to, readable: false, writable: true });
    if (this.#connections.size >= MAX_CLIENTS || this.#closing !== undefined) this.#refuse(input, output);
    else this.#serve(input, output);
  }

  #refuse(input: Socket, output: Socket): void {
    for (const stream of [input, output]) stream.on("error", () => undefined);
    input.destroy();
    output.end(Buffer.of(Welcome.full));
  }

  #serve(input: Socket, output: Socket): void {
    const connection = new StreamConnection({
      transport: this.#transport,
      maxMessageBytes: this.#maxMessageBytes,
      handler: this.#handler,
      input,
      output,
      onClosed: (closed) => this.#connections.delete(closed),
    });
    this.#connections.add(connection);
    output.write(Buffer.of(Welcome.accepted));
    connection.open();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closed = new Promise((resolve) => this.#hello.once("close", resolve));
    removeAll(this.address.name);
    this.#hello.destroy();
    // A client that does not read is torn down and hears so in its own `onClose`; the server is closed all the same.
    await Promise.allSettled([...this.#connections].map((connection) => connection.close()));
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
