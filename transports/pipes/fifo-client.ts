import { closeSync, constants as fs, lstatSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { IpcError } from "../contract/errors.ts";
import type { OpenOptions } from "../contract/transport.ts";
import { hasErrno } from "../support/has-errno.ts";
import { withinLimit } from "../support/opening.ts";
import { Welcome } from "./fifo-hello.ts";
import { claimSlot, makeFifos, openFifo, removeSlot, slotNames } from "./fifo-names.ts";

const READ_BYTES = 64 * 1024;
const HELLO_RETRY_MS = 3;
const HELLO_TRIES = 300;

export interface Pair {
  readonly input: Socket;
  readonly output: Socket;
}

/** Called when the server has opened both ends; the returned function gets all bytes that follow. */
export type Welcomed = (pair: Pair) => (buffer: Uint8Array, bytes: number) => void;

/**
 * Opens a pair of FIFOs to the server whose hello FIFO is at `hello`. Descriptors open for both directions keep the
 * FIFOs alive until the server has opened its ends. Then they are closed, because they would hide its death.
 */
export async function openPair(
  transport: string,
  hello: string,
  options: OpenOptions | undefined,
  welcomed: Welcomed,
): Promise<void> {
  const opening = new Opening(transport, hello);
  try {
    await withinLimit(transport, options, opening.run(welcomed), () => opening.cancel());
  } catch (error) {
    opening.cancel();
    throw error;
  }
}

class Opening {
  readonly #transport: string;
  readonly #hello: string;
  readonly #accepted = Promise.withResolvers<void>();
  #keepers: number[] = [];
  #pair: Pair | undefined;
  #slot = -1;
  #slotInode = -1;
  #cancelled = false;

  constructor(transport: string, hello: string) {
    this.#transport = transport;
    this.#hello = hello;
  }

  async run(welcomed: Welcomed): Promise<void> {
    const hello = openFifo(this.#hello, fs.O_WRONLY);
    if (hello === undefined) throw this.#lost(`nobody listens at ${this.#hello}`);
    try {
      this.#slot = claimSlot(this.#transport, this.#hello);
      const names = slotNames(this.#hello, this.#slot);
      this.#slotInode = lstatSync(names.directory).ino;
      await makeFifos(this.#transport, names.up, names.down);
      if (this.#cancelled) return this.#removeOwnSlot();
      this.#openEnds(names.up, names.down, welcomed);
      await this.#sayHello(hello);
    } finally {
      closeSync(hello);
    }
    await this.#accepted.promise;
  }

  #openEnds(up: string, down: string, welcomed: Welcomed): void {
    this.#keepers = [this.#open(up, fs.O_RDWR), this.#open(down, fs.O_RDWR)];
    const output = new Socket({ fd: this.#open(up, fs.O_WRONLY), readable: false, writable: true });
    const input = this.#inputOf(this.#open(down, fs.O_RDONLY), (status) => {
      this.#closeKeepers();
      input.off("error", this.#accepted.reject);
      input.off("close", hungUp);
      output.off("error", this.#accepted.reject);
      if (status !== Welcome.accepted) {
        this.#accepted.reject(this.#lost("the server has no free place for a client"));
        return undefined;
      }
      this.#accepted.resolve();
      return welcomed({ input, output });
    });
    const hungUp = (): void => this.#accepted.reject(this.#lost("the server hung up"));
    this.#pair = { input, output };
    input.on("error", this.#accepted.reject);
    input.on("close", hungUp);
    output.on("error", this.#accepted.reject);
  }

  #inputOf(fd: number, onFirst: (status: number) => ReturnType<Welcomed> | undefined): Socket {
    let first = true;
    let sink: ReturnType<Welcomed> | undefined;
    return new Socket({
      fd,
      readable: true,
      writable: false,
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback(bytes, buffer) {
          if (!first) sink?.(buffer, bytes);
          else if (bytes > 0) {
            first = false;
            sink = onFirst(buffer[0] as number);
            if (bytes > 1) sink?.(buffer.subarray(1, bytes), bytes - 1);
          }
          return true;
        },
      },
    });
  }

  #open(path: string, access: number): number {
    const descriptor = openFifo(path, access);
    if (descriptor === undefined) throw this.#lost(`${path} vanished while it was being opened`);
    return descriptor;
  }

  /** Sends the hello in one write shorter than PIPE_BUF, so that the lines of two newcomers never mix. */
  async #sayHello(descriptor: number): Promise<void> {
    for (let tries = 0; tries < HELLO_TRIES && !this.#cancelled; tries += 1) {
      try {
        // The leading line feed ends a line that another client may have left unfinished.
        writeSync(descriptor, `\nhello ${this.#slot}\n`);
        return;
      } catch (error) {
        if (hasErrno(error, "EPIPE")) throw this.#lost("the server died");
        if (!hasErrno(error, "EAGAIN")) throw error;
        await delay(HELLO_RETRY_MS);
      }
    }
  }

  #closeKeepers(): void {
    for (const descriptor of this.#keepers.splice(0)) closeSync(descriptor);
  }

  cancel(): void {
    this.#cancelled = true;
    this.#closeKeepers();
    this.#pair?.input.destroy();
    this.#pair?.output.destroy();
    this.#accepted.promise.catch(() => undefined);
    this.#removeOwnSlot();
  }

  /** Removes the slot if it still belongs to this client: the server removes it too, and another may have it by now. */
  #removeOwnSlot(): void {
    if (this.#slot < 0) return;
    const found = lstatSync(slotNames(this.#hello, this.#slot).directory, { throwIfNoEntry: false });
    if (found?.ino === this.#slotInode) removeSlot(this.#hello, this.#slot);
  }

  #lost(what: string): IpcError {
    return new IpcError("IPC_PEER_LOST", `${this.#transport}: ${what}`, { transport: this.#transport });
  }
}
