import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import {
  checkOptions,
  distinctName,
  listenAtPath,
  listenPrivately,
  pathResidue,
  streamCapabilities,
  sweepPath,
  withinLimit,
} from "../../../harness/authors.ts";
import {
  type Connection,
  type ConnectionHandler,
  IpcError,
  type Transport,
  toIpcError,
} from "../../../harness/index.ts";

const id = "my-json";
const [maxMessageBytes, maxClients] = [1024 * 1024, 64];

const encode = (message: Uint8Array): string => `${JSON.stringify(Buffer.from(message).toString("base64"))}\n`;

function decode(line: string): Uint8Array | undefined {
  try {
    return Buffer.from(JSON.parse(line), "base64");
  } catch {
    return undefined;
  }
}

/** One end. Each message is a line of JSON. */
class JsonConnection implements Connection {
  readonly #socket: Socket;
  readonly #handler: ConnectionHandler;
  readonly #gone = Promise.withResolvers<void>();
  #received = "";
  #paused = false;
  #closing: Promise<void> | undefined;
  #error: IpcError | undefined;

  constructor(socket: Socket, handler: ConnectionHandler) {
    this.#socket = socket.setEncoding("utf8");
    this.#handler = handler;
    socket.on("drain", () => handler.onWritable(this));
    socket.on("error", (error) => {
      this.#error ??= toIpcError(error, id, "IPC_PEER_LOST");
    });
    socket.on("end", () => {
      if (this.#received === "" || this.#closing) socket.end();
      else socket.destroy(new IpcError("IPC_PEER_LOST", `${id}: the other side ended inside a message`));
    });
    socket.on("close", () => {
      handler.onClose(this, this.#error);
      this.#gone.resolve();
    });
    handler.onOpen(this);
    socket.on("data", (text: string) => {
      this.#received += text;
      this.#deliver();
    });
    if (this.#paused) socket.pause();
  }

  #deliver(): void {
    let end = this.#received.indexOf("\n");
    for (; end >= 0 && !this.#paused && !this.#closing; end = this.#received.indexOf("\n")) {
      const line = this.#received.slice(0, end);
      this.#received = this.#received.slice(end + 1);
      const message = decode(line);
      if (message === undefined) this.#socket.destroy(new IpcError("IPC_MALFORMED", `${id}: a line is no message`));
      else this.#handler.onMessage(message, this);
    }
    // Base64 has 4 characters for 3 bytes.
    if (end < 0 && this.#received.length > 2 * maxMessageBytes)
      this.#socket.destroy(new IpcError("IPC_MALFORMED", `${id}: a line is too long`));
  }

  send(message: Uint8Array): boolean {
    if (this.#closing || !this.#socket.writable) throw new IpcError("IPC_CLOSED", `${id}: the connection is closed`);
    if (message.length > maxMessageBytes) throw new IpcError("IPC_TOO_LARGE", `${id}: ${message.length} bytes`);
    if (this.#socket.writableNeedDrain) return false;
    this.#socket.write(encode(message));
    return true;
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    setImmediate(() => {
      this.#deliver(); // later, since onMessage must not be called inside resume
      if (!this.#paused) this.#socket.resume();
    });
  }

  close(timeoutMs = 5000): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    const late = new IpcError("IPC_TIMEOUT", `${id}: the other side did not end within ${timeoutMs} ms`);
    const limit = setTimeout(() => this.#socket.destroy(late), timeoutMs);
    this.#socket.resume().end(); // reads on until the other side, which has everything then, ends too
    await this.#gone.promise;
    clearTimeout(limit);
    if (this.#error === late) throw late;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const transport: Transport = {
  id,
  capabilities: streamCapabilities({ boundaries: "library", maxMessageBytes, maxClients }),
  probe: async () => ({ available: true, version: "my-json 1.0.0" }),
  allocate: async ({ directory }) => ({ transport: id, name: join(directory, `json-${distinctName()}`) }),
  event: {
    async listen(address, handler, options) {
      checkOptions(id, options);
      const connections = new Set<JsonConnection>();
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        const connection = new JsonConnection(socket, handler);
        connections.add(connection);
        socket.on("close", () => connections.delete(connection));
      });
      server.maxConnections = maxClients;
      await listenAtPath(address.name, id, () => listenPrivately(server, address.name));
      const close = async (): Promise<void> => {
        server.close();
        await Promise.allSettled([...connections].map((connection) => connection.close()));
      };
      return { address, close, [Symbol.asyncDispose]: close };
    },
    async connect(address, handler, options) {
      checkOptions(id, options);
      const socket = connect({ path: address.name, allowHalfOpen: true });
      const opened = new Promise<Connection>((resolve, reject) => {
        socket.once("error", (error) => reject(toIpcError(error, id, "IPC_PEER_LOST")));
        socket.once("connect", () => resolve(new JsonConnection(socket, handler)));
      });
      return withinLimit(id, options, opened, () => socket.destroy());
    },
  },
  residue: async (address) => pathResidue(address.name, id),
  sweep: (address) => sweepPath(address.name, id),
};
export default transport;
