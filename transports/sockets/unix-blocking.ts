import { closeSync, lstatSync, rmSync } from "node:fs";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError } from "../contract/errors.ts";
import type { BlockingTransport } from "../contract/transport.ts";
import { libc } from "../posix/binding.ts";
import type { Libc, Pointer } from "../posix/libc.ts";
import {
  acceptOne,
  bindPath,
  checkSocketAddress,
  connectPath,
  isAnswered,
  listenOn,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  setSocketTimeouts,
  unixSocket,
} from "../posix/unix-socket.ts";
import { BlockingStream, type ByteChannel, SLICE_MS } from "../support/blocking-stream.ts";
import { BlockingStreamServer, type Doorway } from "../support/blocking-stream-server.ts";
import { checkOptions } from "../support/opening.ts";
import { withPathLockSync } from "../support/path-lock-sync.ts";
import { inUse } from "../support/socket-path.ts";

const ID = "unix";
const MAX_CLIENTS = 1024;
const BACKLOG = 1024;
const NO_WAIT = MSG_NOSIGNAL | MSG_DONTWAIT;

/** A connected socket with time-outs that limit every call that may wait. */
class SocketChannel implements ByteChannel {
  readonly inFd: number;
  readonly outFd: number;
  readonly #libc: Libc = libc();

  constructor(fd: number) {
    setSocketTimeouts(fd, SLICE_MS);
    this.inFd = fd;
    this.outFd = fd;
  }

  read(into: Pointer, bytes: number, mayWait: boolean): number {
    return mayWait ? this.#libc.read(this.inFd, into, bytes) : this.#libc.recv(this.inFd, into, bytes, NO_WAIT);
  }

  write(from: Pointer, bytes: number, mayWait: boolean): number {
    // Node ignores SIGPIPE, so a `write` to a lost peer just returns an error.
    return mayWait ? this.#libc.write(this.outFd, from, bytes) : this.#libc.send(this.outFd, from, bytes, NO_WAIT);
  }

  close(): void {
    closeSync(this.inFd);
  }
}

function doorwayAt(path: string): Doorway {
  const fd = listenAt(path);
  return {
    fd,
    accept(isFull) {
      // Refuses newcomers beyond the limit: if they stayed in the socket's queue, `poll` would never wait.
      for (let refused = 0; refused < BACKLOG; refused++) {
        const newcomer = acceptOne(fd);
        if (newcomer < 0) return undefined;
        if (!isFull) return new SocketChannel(newcomer);
        closeSync(newcomer);
      }
      return undefined;
    },
    close() {
      rmSync(path, { force: true });
      closeSync(fd);
    },
  };
}

/** Listens at a path, under its lock: between `bind` and `listen` the path looks like that of a killed server. */
function listenAt(path: string): number {
  checkSocketAddress(path);
  return withPathLockSync(path, ID, () => {
    clearStale(path);
    const fd = unixSocket("stream", true);
    try {
      bindPath(fd, path);
      listenOn(fd, BACKLOG, path);
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  });
}

function clearStale(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw inUse(ID, `${path} is not a socket; choose another path or remove it yourself`);
  if (isAnswered(path, "stream")) throw inUse(ID, `a server is listening at ${path}; stop it first`);
  rmSync(path, { force: true });
}

/** Unix domain stream sockets in blocking mode; the wire format is that of the event face. */
export const unixBlocking: BlockingTransport = {
  listen(address, options) {
    checkOptions(ID, options);
    const limits = { maxClients: MAX_CLIENTS, maxMessageBytes: UNBOUNDED_MESSAGE_BYTES };
    return new BlockingStreamServer(ID, address, doorwayAt(address.name), limits);
  },

  connect(address, timeoutMs, options) {
    checkOptions(ID, options);
    const fd = unixSocket("stream");
    try {
      setSocketTimeouts(fd, SLICE_MS);
      const untilMs = performance.now() + timeoutMs;
      // The time-outs above limit each attempt while the server's accept queue is full.
      while (!connectPath(fd, address.name)) {
        if (performance.now() < untilMs) continue;
        throw new IpcError("IPC_TIMEOUT", `${ID}: the server at ${address.name} does not accept`, { transport: ID });
      }
      return new BlockingStream(ID, new SocketChannel(fd), UNBOUNDED_MESSAGE_BYTES);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  },
};
