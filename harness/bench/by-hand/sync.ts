/** Echoes with `readSync` and `writeSync`, for programs whose functions return the reply. */
import { execFileSync, spawn } from "node:child_process";
import { openSync, readSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { EchoArm } from "./arm.ts";
import { answer, type Load } from "./load.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const PREFIX_BYTES = 4;
const FIRST_BYTES = 128 * 1024;
/** Time for which a read spins before it sleeps between two attempts, ms. */
const SPIN_MS = 1;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Two descriptors with a u32 length before each message. Non-blocking ones are polled. */
class Stream {
  readonly #input: number;
  readonly #output: number;
  #buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);

  constructor(input: number, output: number) {
    this.#input = input;
    this.#output = output;
  }

  send(message: Uint8Array): void {
    const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
    frame.writeUInt32LE(message.length, 0);
    frame.set(message, PREFIX_BYTES);
    for (let sent = 0; sent < frame.length; ) sent += retried(() => writeSync(this.#output, frame, sent));
  }

  /** Returns the next message, valid until the next call; undefined at the end. No rest is kept: one is in flight. */
  receive(): Buffer | undefined {
    let have = 0;
    let wanted = PREFIX_BYTES;
    while (have < wanted) {
      const got = retried(() => readSync(this.#input, this.#buffer, have, this.#buffer.length - have, null));
      if (got === 0) return undefined;
      have += got;
      if (have < PREFIX_BYTES) continue;
      wanted = PREFIX_BYTES + this.#buffer.readUInt32LE(0);
      if (wanted > this.#buffer.length) this.#buffer = Buffer.concat([this.#buffer], wanted);
    }
    return this.#buffer.subarray(PREFIX_BYTES, wanted);
  }

  serve(): void {
    for (let request = this.receive(); request; request = this.receive()) this.send(answer(request));
  }

  exchange(load: Load): void {
    for (let request = load.next(); request; request = load.next()) {
      this.send(request);
      load.accept(this.receive() as Buffer);
    }
  }
}

function retried(attempt: () => number): number {
  let startMs: number | undefined;
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
    startMs ??= performance.now();
    if (performance.now() - startMs > SPIN_MS) Atomics.wait(sleeper, 0, 0, 1);
  }
}

/** Two FIFOs, whose reads wait in the kernel. */
export const fifo: EchoArm = {
  ours: { id: "fifo/sync", mode: "blocking" },
  async serve(directory) {
    const [up, down] = [`${directory}/up`, `${directory}/down`];
    execFileSync("mkfifo", [up, down]);
    // Opening waits for the client, which needs the path first.
    setImmediate(() => new Stream(openSync(up, "r"), openSync(down, "w")).serve());
    return directory;
  },
  async exchange(directory, load) {
    const output = openSync(`${directory}/up`, "w");
    new Stream(openSync(`${directory}/down`, "r"), output).exchange(load);
  },
};

interface Handled {
  readonly _handle: { readonly fd: number; readStop(): void };
}

/** A child's standard streams. The parent's descriptors are non-blocking, so it polls; the child's block. */
export const stdio: EchoArm = {
  ours: { id: "stdio", mode: "polling" },
  isApart: true,
  async peer() {
    new Stream(0, 1).serve();
  },
  async exchange(_where, load) {
    const [file = "", ...args] = apart([process.execPath, MAIN, "peer", "stdio/polling"]);
    const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
    const [input, output] = [child.stdout, child.stdin] as unknown as [Handled, Handled];
    input._handle.readStop();
    new Stream(input._handle.fd, output._handle.fd).exchange(load);
    child.stdin.end();
  },
};

/** Returns the command of a peer on another CPU than ours: while this end polls, a peer on the same one cannot run. */
export function apart(command: readonly string[]): [string, ...string[]] {
  return ["taskset", "-c", "1", ...command];
}
