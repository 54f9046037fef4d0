import { closeSync } from "node:fs";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import type { BlockingTransport } from "../contract/transport.ts";
import { libc } from "../posix/binding.ts";
import type { Libc, Pointer } from "../posix/libc.ts";
import { Mapping } from "../posix/mapping.ts";
import { POLLIN, POLLOUT } from "../posix/unix-socket.ts";
import { BlockingStream, type ByteChannel, SLICE_MS } from "../support/blocking-stream.ts";
import { BlockingStreamServer, type Doorway } from "../support/blocking-stream-server.ts";
import { checkOptions } from "../support/opening.ts";
import { withPathLockSync } from "../support/path-lock-sync.ts";
import { MAX_CLIENTS } from "./fifo-names.ts";
import { connectPair, FifoDoor, type FifoPair } from "./fifo-opening.ts";

const ID = "fifo";

/** Two non-blocking pipes. A pipe has no time-out, so a read that may wait costs a `poll` first. */
class FifoChannel implements ByteChannel {
  readonly inFd: number;
  readonly outFd: number;
  readonly #libc: Libc = libc();
  readonly #poll = Mapping.anonymous(8);

  constructor(inFd: number, outFd: number) {
    this.inFd = inFd;
    this.outFd = outFd;
  }

  read(into: Pointer, bytes: number, mayWait: boolean): number {
    // Waits first: a read before it would be one call more, and in lockstep it never finds anything.
    if (mayWait) this.wait(this.inFd, POLLIN, SLICE_MS);
    return this.#libc.read(this.inFd, into, bytes);
  }

  write(from: Pointer, bytes: number, mayWait: boolean): number {
    const written = this.#libc.write(this.outFd, from, bytes);
    if (written >= 0 || !mayWait) return written;
    // Usually there is room. Any other error ends this wait, and the next call reports it.
    this.wait(this.outFd, POLLOUT, SLICE_MS);
    return this.#libc.write(this.outFd, from, bytes);
  }

  /** @returns `true` when the descriptor is ready */
  wait(fd: number, events: number, timeoutMs: number): boolean {
    this.#poll.words[0] = fd;
    this.#poll.words[1] = events;
    return this.#libc.poll(this.#poll.pointer(0), 1, Math.ceil(timeoutMs)) > 0;
  }

  close(): void {
    closeSync(this.inFd);
    closeSync(this.outFd);
    this.#poll.close();
  }
}

function streamOf({ input, output }: FifoPair): BlockingStream {
  return new BlockingStream(ID, new FifoChannel(input, output), UNBOUNDED_MESSAGE_BYTES);
}

function doorwayAt(path: string): Doorway {
  const door = new FifoDoor(ID, path, withPathLockSync);
  return {
    fd: door.fd,
    accept(isFull) {
      const pair = door.accept(isFull);
      return pair === undefined ? undefined : streamOf(pair);
    },
    close: () => door.close(),
  };
}

/** FIFOs in blocking mode, with the same opening and wire format as in the event face. */
export const fifoBlocking: BlockingTransport = {
  listen(address, options) {
    checkOptions(ID, options);
    return new BlockingStreamServer(ID, address, doorwayAt(address.name), MAX_CLIENTS);
  },

  connect(address, timeoutMs, options) {
    checkOptions(ID, options);
    return streamOf(connectPair(ID, address.name, timeoutMs));
  },
};
