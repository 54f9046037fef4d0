import type { Server as NetServer, Socket } from "node:net";
import type { Address, ConnectionHandler, Server } from "../contract/transport.ts";
import { ClosesOnce } from "./closing.ts";
import type { PrefixFormat } from "./length-prefix.ts";
import { StreamConnection } from "./stream-connection.ts";

export interface StreamServerOptions {
  readonly transport: string;
  readonly address: Address;
  readonly maxMessageBytes: number;
  readonly maxClients: number;
  readonly handler: ConnectionHandler;
  /** Must be listening already; its sockets need `allowHalfOpen`. */
  readonly listener: NetServer;
  readonly format?: PrefixFormat;
  /**
   * Negotiates with a newcomer before it counts as connected. Then calls `admitted` with the bytes read beyond the
   * negotiation, or destroys the socket. It must limit its own waiting.
   */
  readonly admit?: (socket: Socket, admitted: (rest: Uint8Array) => void) => void;
}

/** A listening socket whose connections carry length-prefixed messages. Closing it removes the path of a socket. */
export class StreamServer extends ClosesOnce implements Server {
  readonly address: Address;
  readonly #options: StreamServerOptions;
  readonly #connections = new Set<StreamConnection>();
  /** Sockets that are not admitted yet. */
  readonly #newcomers = new Set<Socket>();
  readonly #listenerClosed: Promise<void>;

  constructor(options: StreamServerOptions) {
    super();
    this.address = options.address;
    this.#options = options;
    this.#listenerClosed = new Promise((resolve) => options.listener.once("close", resolve));
    // Accepting fails if no descriptor is left. Then the newcomer loses its connection, and the server goes on.
    options.listener.on("error", () => undefined);
    options.listener.on("connection", (socket) => this.#accept(socket));
  }

  #accept(socket: Socket): void {
    const { maxClients, admit } = this.#options;
    if (this.#connections.size + this.#newcomers.size >= maxClients) {
      socket.destroy();
      return;
    }
    if (admit === undefined) {
      this.#open(socket);
      return;
    }
    this.#newcomers.add(socket);
    socket.once("close", () => this.#newcomers.delete(socket));
    admit(socket, (rest) => {
      this.#newcomers.delete(socket);
      this.#open(socket).feed(rest, rest.length);
    });
  }

  #open(socket: Socket): StreamConnection {
    const { transport, maxMessageBytes, handler, format } = this.#options;
    const connection = new StreamConnection({
      transport,
      maxMessageBytes,
      handler,
      input: socket,
      output: socket,
      ...(format && { format }),
      onClosed: (closed) => this.#connections.delete(closed),
    });
    this.#connections.add(connection);
    connection.open();
    return connection;
  }

  protected override async closeOnce(): Promise<void> {
    this.#options.listener.close();
    for (const socket of this.#newcomers) socket.destroy();
    // A client that does not read is cut off, and its `onClose` gets the error; the server closes all the same.
    await Promise.allSettled([...this.#connections].map((connection) => connection.close()));
    await this.#listenerClosed;
  }
}
