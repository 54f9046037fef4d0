import { IpcError } from "../contract/errors.ts";
import { randomBytes } from "../support/crypto.ts";
import { respond, verifies } from "./digest.ts";

/** Longest message of the handshake; Python has the same limit. */
export const HANDSHAKE_MESSAGE_BYTES = 256;
const NONCE_BYTES = 40;

const CHALLENGE: Buffer = Buffer.from("#CHALLENGE#");
const WELCOME: Buffer = Buffer.from("#WELCOME#");
const FAILURE: Buffer = Buffer.from("#FAILURE#");

/** Length of a challenge with one byte of nonce. */
export const SHORTEST_CHALLENGE_BYTES: number = CHALLENGE.length + 1;

export interface HandshakeOptions {
  readonly transport: string;
  readonly role: "server" | "client";
  readonly key: Uint8Array;
  /** True: accept HMAC-MD5 responses, the only ones of Python 3.11 and earlier. */
  readonly allowLegacy: boolean;
  /** Sends one framed message. */
  readonly send: (message: Uint8Array) => void;
}

type Step = "challenge" | "response" | "verdict" | "done";

/**
 * The mutual proof of `multiprocessing.connection` (`deliver_challenge` and `answer_challenge` of CPython's
 * Lib/multiprocessing/connection.py): the server challenges and judges, then the client does. Does no I/O itself.
 */
export class Handshake {
  readonly #options: HandshakeOptions;
  #challenge: Uint8Array = new Uint8Array(0);
  /** Step that the next message must belong to. */
  #expected: Step;
  #halves = 0;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#expected = options.role === "server" ? "response" : "challenge";
  }

  get isDone(): boolean {
    return this.#expected === "done";
  }

  /** True while it is the other side's turn and nothing has come from it yet. */
  get awaitsFirstMessage(): boolean {
    return this.#halves === 0 && this.#expected === "challenge";
  }

  /** Starts the handshake: a server sends first. */
  start(): void {
    if (this.#options.role === "server") this.#deliverChallenge();
  }

  /** @throws IpcError IPC_AUTH_FAILED; the connection must not be used any more. */
  receive(message: Uint8Array): void {
    switch (this.#expected) {
      case "challenge":
        return this.#answer(message);
      case "response":
        return this.#judge(message);
      case "verdict":
        if (!WELCOME.equals(message)) throw this.#failed("the other side refused our key");
        return this.#halfDone();
      case "done":
        return;
    }
  }

  #deliverChallenge(): void {
    this.#challenge = Buffer.concat([Buffer.from("{sha256}"), randomBytes(NONCE_BYTES)]);
    this.#options.send(Buffer.concat([CHALLENGE, this.#challenge]));
    this.#expected = "response";
  }

  #answer(message: Uint8Array): void {
    if (!startsWithChallenge(message)) throw this.#failed("the other side asks for no key; omit it on this side");
    // Copied, because the buffer it arrived in is reused.
    const response = respond(this.#options.key, message.slice(CHALLENGE.length));
    if (response === undefined) throw this.#failed("the challenge asks for a digest that is not known here");
    this.#options.send(response);
    this.#expected = "verdict";
  }

  #judge(message: Uint8Array): void {
    const { key, allowLegacy, send } = this.#options;
    if (!verifies(key, this.#challenge, message, allowLegacy)) {
      send(FAILURE);
      throw this.#failed("the other side has another key, or none");
    }
    send(WELCOME);
    this.#halfDone();
  }

  #halfDone(): void {
    this.#halves += 1;
    if (this.#halves === 2) this.#expected = "done";
    else if (this.#options.role === "server") this.#expected = "challenge";
    else this.#deliverChallenge();
  }

  #failed(what: string): IpcError {
    const { transport } = this.#options;
    return new IpcError("IPC_AUTH_FAILED", `${transport}: ${what}`, { transport });
  }
}

/** True for the first message of a server that wants a key. */
export function startsWithChallenge(message: Uint8Array): boolean {
  return message.length >= SHORTEST_CHALLENGE_BYTES && CHALLENGE.equals(message.subarray(0, CHALLENGE.length));
}

/** With an empty key, some versions of Python use no key and others hang. @throws IpcError IPC_AUTH_FAILED */
export function refuseEmptyKey(transport: string, key: Uint8Array | undefined): void {
  if (key === undefined || key.length > 0) return;
  throw new IpcError("IPC_AUTH_FAILED", `${transport}: an empty key proves nothing; give at least one byte`, {
    transport,
  });
}
