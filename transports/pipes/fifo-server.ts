import { closeSync, constants as fs } from "node:fs";
import { Socket } from "node:net";
import type { Address, ConnectionHandler, Server } from "../contract/transport.ts";
import { ClosesOnce } from "../support/closing.ts";
import { StreamConnection } from "../support/stream-connection.ts";
import { HelloLines, Welcome } from "./fifo-hello.ts";
import { MAX_CLIENTS, openFifo, removeAll, removeSlot, slotNames } from "./fifo-names.ts";

/** Reads hello lines from one FIFO and serves each newcomer on a pair of its own. */
export class FifoServer extends ClosesOnce implements Server {
  readonly address: Address;
  readonly #transport: string;
  readonly #maxMessageBytes: number;
  readonly #handler: ConnectionHandler;
  readonly #hello: Socket;
  readonly #connections = new Set<StreamConnection>();
  readonly #lines = new HelloLines();

  /** @param descriptor of the hello FIFO, open for both directions, so that it never reports an end of file */
  constructor(
    transport: string,
    address: Address,
    descriptor: number,
    maxMessageBytes: number,
    handler: ConnectionHandler,
  ) {
    super();
    this.#transport = transport;
    this.address = address;
    this.#maxMessageBytes = maxMessageBytes;
    this.#handler = handler;
    this.#hello = new Socket({ fd: descriptor, readable: true, writable: false });
    this.#hello.on("error", () => undefined);
    this.#hello.on("data", (chunk: Buffer) => {
      for (const slot of this.#lines.take(chunk)) this.#accept(slot);
    });
  }

  #accept(slot: number): void {
    const { up, down } = slotNames(this.address.name, slot);
    const from = openFifo(up, fs.O_RDONLY);
    // Undefined if the client is gone already: nobody has the reading end open.
    const to = openFifo(down, fs.O_WRONLY);
    removeSlot(this.address.name, slot);
    if (from === undefined || to === undefined) {
      for (const descriptor of [from, to]) if (descriptor !== undefined) closeSync(descriptor);
      return;
    }
    const input = new Socket({ fd: from, readable: true, writable: false });
    const output = new Socket({ fd: to, readable: false, writable: true });
    if (this.#connections.size >= MAX_CLIENTS || this.isClosing) this.#refuse(input, output);
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

  protected override async closeOnce(): Promise<void> {
    const closed = new Promise((resolve) => this.#hello.once("close", resolve));
    removeAll(this.address.name);
    this.#hello.destroy();
    // A client that does not read is cut off, and its own `onClose` gets the error; the server closes all the same.
    await Promise.allSettled([...this.#connections].map((connection) => connection.close()));
    await closed;
  }
}
