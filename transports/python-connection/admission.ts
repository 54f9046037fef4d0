import type { Socket } from "node:net";
import { IpcError, toIpcError } from "../contract/errors.ts";
import { Deadline } from "../support/deadline.ts";
import { LengthPrefixDecoder, writeFrame } from "../support/length-prefix.ts";
import { HANDSHAKE_MESSAGE_BYTES, Handshake } from "./handshake.ts";
import { PYTHON_PREFIX } from "./prefix.ts";

/** Time allowed for the handshake. Python has no limit, so a silent client blocks a Python listener for ever. */
export const HANDSHAKE_LIMIT_MS = 3000;
/** Time allowed for the other side to read the refusal. */
const FAREWELL_MS = 1000;

export interface AdmissionOptions {
  readonly transport: string;
  readonly role: "server" | "client";
  readonly key: Uint8Array;
  readonly allowLegacy: boolean;
  readonly limitMs: number;
  /** Called when the handshake is done; `rest` are the bytes after it, which belong to the connection. */
  readonly onDone: (rest: Uint8Array) => void;
  readonly onFailed: (error: IpcError) => void;
}

/** Runs the handshake on a connected socket. The owner passes input to `feed` until `onDone` or `onFailed`. */
export class Admission {
  readonly #socket: Socket;
  readonly #options: AdmissionOptions;
  readonly #handshake: Handshake;
  readonly #decoder: LengthPrefixDecoder;
  readonly #deadline: Deadline;
  readonly #onEnd = (): void => this.#fail(this.#error("IPC_PEER_LOST", "the other side hung up during the handshake"));
  readonly #onError = (error: Error): void => this.#fail(toIpcError(error, this.#options.transport, "IPC_PEER_LOST"));
  #over = false;

  constructor(socket: Socket, options: AdmissionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#handshake = new Handshake({ ...options, send: (message) => socket.write(framed(message)) });
    this.#decoder = new LengthPrefixDecoder(
      HANDSHAKE_MESSAGE_BYTES,
      (message) => {
        this.#handshake.receive(message);
        return !this.#handshake.isDone;
      },
      PYTHON_PREFIX,
    );
    this.#deadline = new Deadline(options.limitMs, () => this.#fail(this.#late()));
    socket.on("end", this.#onEnd);
    socket.on("close", this.#onEnd);
    socket.on("error", this.#onError);
    this.#handshake.start();
  }

  /** Takes bytes `[0, end)` of a chunk that may be reused. */
  feed(chunk: Uint8Array, end: number): void {
    if (this.#over) return;
    let stopped: number;
    try {
      stopped = this.#decoder.push(chunk, 0, end);
    } catch (error) {
      this.#fail(toIpcError(error, this.#options.transport));
      return;
    }
    if (stopped < 0) {
      const bytes = this.#decoder.refusedBytes ?? 0;
      const what = `a message of ${bytes} bytes where at most ${HANDSHAKE_MESSAGE_BYTES} prove a key`;
      this.#fail(
        this.#error("IPC_AUTH_FAILED", `the other side sent ${what}: it has no key, or speaks another protocol`),
      );
    } else if (this.#handshake.isDone) {
      this.#leave();
      this.#options.onDone(chunk.slice(stopped, end));
    }
  }

  cancel(): void {
    this.#leave();
    this.#socket.destroy();
  }

  #leave(): void {
    this.#over = true;
    this.#deadline.clear();
    this.#socket.off("end", this.#onEnd);
    this.#socket.off("close", this.#onEnd);
    this.#socket.off("error", this.#onError);
  }

  #fail(error: IpcError): void {
    if (this.#over) return;
    this.#leave();
    const socket = this.#socket;
    socket.on("error", () => undefined);
    // Bytes written before, such as a refusal, are still sent, but the peer cannot keep the socket open after that.
    const farewell = setTimeout(() => socket.destroy(), FAREWELL_MS);
    socket.once("close", () => clearTimeout(farewell));
    socket.end(() => socket.destroy());
    this.#options.onFailed(error);
  }

  #late(): IpcError {
    const { role, limitMs } = this.#options;
    const silent = role === "client" && this.#handshake.awaitsFirstMessage;
    const what = silent
      ? "no challenge came: the server may have no key, or be busy with another client"
      : "the other side sent nothing";
    return this.#error("IPC_TIMEOUT", `${what} (waited ${limitMs} ms)`);
  }

  #error(code: IpcError["code"], what: string): IpcError {
    const { transport } = this.#options;
    return new IpcError(code, `${transport}: ${what}`, { transport });
  }
}

function framed(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(PYTHON_PREFIX.bytesFor(message.length) + message.length);
  writeFrame(frame, message, PYTHON_PREFIX);
  return frame;
}
