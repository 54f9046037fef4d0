import { closeSync } from "node:fs";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import type { BlockingTransport } from "../contract/transport.ts";
import { libc } from "../posix/binding.ts";
import type { Libc, Pointer } from "../posix/libc.ts";
import { MSG_DONTWAIT, MSG_NOSIGNAL, setSocketTimeouts } from "../posix/unix-socket.ts";
import { BlockingStream, type ByteChannel, SLICE_MS } from "../support/blocking-stream.ts";
import { BlockingStreamServer } from "../support/blocking-stream-server.ts";
import { checkOptions } from "../support/opening.ts";
import { connectBlocking, doorwayAt } from "./blocking-doorway.ts";

const ID = "unix";
const MAX_CLIENTS = 1024;
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

/** Unix domain stream sockets in blocking mode; the wire format is that of the event face. */
export const unixBlocking: BlockingTransport = {
  listen(address, options) {
    checkOptions(ID, options);
    const open = (fd: number): BlockingStream => new BlockingStream(ID, new SocketChannel(fd), UNBOUNDED_MESSAGE_BYTES);
    const doorway = doorwayAt(ID, address.name, "stream", open);
    return new BlockingStreamServer(ID, address, doorway, MAX_CLIENTS);
  },

  connect(address, timeoutMs, options) {
    checkOptions(ID, options);
    const fd = connectBlocking(ID, address.name, timeoutMs, "stream");
    return new BlockingStream(ID, new SocketChannel(fd), UNBOUNDED_MESSAGE_BYTES);
  },
};
