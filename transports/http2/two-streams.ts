import { Duplex } from "node:stream";
import { Deadline } from "../support/deadline.ts";
import type { StandardStreams } from "../support/standard-streams.ts";

/** Time for the end of the input to follow a failed write, ms. */
const INPUT_END_MS = 250;

/**
 * Stream that joins an input and an output, as node:http2 needs. After a failed write it ends when its input ends: the
 * last bytes of the other side, such as a printed line that is no HTTP/2, explain more than EPIPE.
 */
export class TwoStreams extends Duplex {
  readonly #input: StandardStreams["input"];
  readonly #output: StandardStreams["output"];
  #failure: Error | undefined;
  #deadline: Deadline | undefined;

  constructor({ input, output }: StandardStreams) {
    super({ allowHalfOpen: true });
    this.#input = input;
    this.#output = output;
    input.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) input.pause();
    });
    input.pause();
    input.once("end", () => this.push(null));
    input.once("error", (error) => this.destroy(error));
    input.once("close", () => {
      if (!input.readableEnded) this.destroy(this.#failure);
    });
    output.on("error", (error) => this.#outputFailed(error));
  }

  #outputFailed(error: Error): void {
    if (this.#failure !== undefined || this.destroyed) return;
    this.#failure = error;
    this.#deadline = new Deadline(INPUT_END_MS, () => this.destroy(error));
  }

  override _read(): void {
    this.#input.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // After a failure the bytes are lost, and the end of the input or the deadline ends the stream.
    if (this.#failure !== undefined || !this.#output.writable) return done();
    this.#output.write(chunk, encoding, () => done());
  }

  override _final(done: () => void): void {
    if (this.#output.destroyed) done();
    else this.#output.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#deadline?.clear();
    this.#input.destroy();
    this.#output.destroy();
    done(error);
  }
}
