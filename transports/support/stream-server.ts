import type { Server as NetServer, Socket } from "node:net";
import type { Address, ConnectionHandler, Server } from "../contract/transport.ts";
import { StreamConnection } from "./stream-connection.ts";

export interface StreamServerOptions {
  readonly transport: string;
  readonly address: Address;
  readonly maxMessageBytes: number;
  readonly maxClients: number;
  readonly handler: ConnectionHandler;
  /** Listening already; its sockets need `allowHalfOpen`. */
  readonly listener: NetServer;
}

/** A listening socket whose connections carry length-prefixed messages. Closing the listener unlinks a socket's path. */
export class StreamServer implements Server {
  readonly address: Address;
  readonly #options: StreamServerOptions;
  readonly #connections = new Set<StreamConnection>();
  readonly #listenerClosed: Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(options: StreamServerOptions) {
    this.address = options.address;
    this.#options = options;
    this.#listenerClosed = new Promise((resolve) => options.listener.once("close", resolve));
    // Accepting can fail for want of descriptors; that costs the newcomer its connection, not the server its life.
    options.listener.on("error", () => undefined);
    options.listener.on("connection", (socket) => this.#accept(socket));
  }

  #accept(socket: Socket): void {
    const { transport, maxMessageBytes, maxClients, handler } = this.#options;
    if (this.#connections.size >= maxClients) {
      socket.destroy();
      return;
    }
    const connection = new StreamConnection({
      transport,
      maxMessageBytes,
      handler,
      input: socket,
      output: socket,
      onClosed: (closed) => this.#connections.delete(closed),
    });
    this.#connections.add(connection);
    connection.open();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#options.listener.close();
    // A client that does not read is torn down and hears so in its own `onClose`; the server is closed all the same.
    await Promise.allSettled([...this.#connections].map((connection) => connection.close()));
    await this.#listenerClosed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
