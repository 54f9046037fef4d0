import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import type { Capabilities } from "../../transports/contract/capabilities.ts";
import { type IpcError, type IpcErrorCode, isIpcError, shortageIn } from "../../transports/contract/errors.ts";
import type {
  Address,
  Connection,
  ConnectionHandler,
  EventTransport,
  OpenOptions,
  Server,
  TransportDescription,
} from "../../transports/contract/transport.ts";
import type { Check, CheckContext } from "../check.ts";

/**
 * How long a case waits for something that must happen. Generous, because a busy machine is no fault of a transport;
 * only the tests of the cases themselves, which wait for what never comes, set it lower.
 */
export const patience = { ms: 8000 };
/** How long a case watches for something that must not happen. Too short could only miss a fault, never invent one. */
export const WATCH_MS = 100;

export type Condition = (capabilities: Capabilities, transport: TransportDescription) => true | string;

export interface Case {
  /** Without the leading `conformance/`. */
  readonly id: string;
  readonly title: string;
  readonly why: string;
  readonly quick?: boolean;
  /** Leaves the server healthy; and then a client that may be the only one is left open. */
  readonly sharesPeer?: boolean;
  readonly killsPeer?: boolean;
  readonly typicalMs?: number;
  readonly timeoutMs?: number;
  readonly needs: readonly Condition[];
  readonly run: (context: CheckContext) => Promise<void>;
}

/** A case applies when all its conditions hold; otherwise the reason is that of the first that does not. */
export function defineCase(definition: Case): Check {
  const { needs, id, ...rest } = definition;
  return {
    ...rest,
    id: `conformance/${id}`,
    appliesTo(capabilities, transport) {
      for (const need of needs) {
        const answer = need(capabilities, transport);
        if (answer !== true) return answer;
      }
      return true;
    },
  };
}

export const hasEventFace: Condition = (_, transport) => transport.event !== undefined || "there is no event face";
export const hasBlockingFace: Condition = (_, transport) =>
  transport.blocking !== undefined || "there is no blocking face";
/** Both ends can be opened in the process of the check, so that both can be watched. */
export const inOneProcess: Condition = ({ rendezvous, modes }, transport) => {
  if (transport.event === undefined) return "there is no event face";
  if (modes[0] !== "event") return "its calls block: two ends in one thread would wait for each other";
  return rendezvous !== "parent" || "the peer is launched, so its end cannot be watched from here";
};
export const hasAddress: Condition = ({ rendezvous }) =>
  rendezvous === "address" || `rendezvous is ${rendezvous}: there is no address two processes share`;
/** The connection is born with the process of the peer. */
export const isLaunched: Condition = ({ rendezvous }, transport) =>
  (rendezvous === "parent" && transport.event?.launch !== undefined) || "the peer is not launched by its parent";
export const ownProcess: Condition = ({ rendezvous }) =>
  rendezvous !== "process" || "both ends live in one process, so neither can die alone";
export const canFreeze: Condition = () =>
  process.platform !== "win32" || "Windows has no SIGSTOP: no process can be stopped from outside";
export const replies: Condition = ({ patterns }) =>
  patterns.includes("request-reply") || `the pattern is ${patterns.join(", ")}: nobody replies`;
export const oneWay: Condition = ({ patterns }) =>
  patterns.includes("one-way") || `the pattern is ${patterns.join(", ")}: every message needs its reply`;
export const reliable: Condition = ({ delivery }) => delivery === "reliable" || "delivery is lossy by its own account";
export const pipelined: Condition = ({ maxInFlight }) =>
  maxInFlight > 1 || "lockstep: one request at a time is all it carries";
export const pushesBack: Condition = ({ backpressure }) =>
  backpressure !== "none" || "without backpressure by its own account: messages are dropped instead";

export class CaseFailure extends Error {
  override readonly name = "CaseFailure";
}

export function expect(held: boolean, otherwise: string): asserts held {
  if (!held) throw new CaseFailure(otherwise);
}

/** @returns the error the work failed with. @throws CaseFailure when it did not, or with another code. */
export async function expectCode(
  what: string,
  codes: readonly IpcErrorCode[],
  work: () => unknown,
  limitMs: number = patience.ms,
): Promise<IpcError> {
  let outcome: unknown;
  try {
    await within(what, Promise.resolve(work()), limitMs);
  } catch (error) {
    outcome = error;
  }
  if (outcome instanceof CaseFailure || shortageIn(outcome) !== undefined) throw outcome;
  expect(outcome !== undefined, `${what} succeeded; it must fail with ${codes.join(" or ")}`);
  expect(isIpcError(outcome), `${what} failed with ${String(outcome)}, which is no IpcError`);
  expect(codes.includes(outcome.code), `${what} failed with ${outcome.code}, not with ${codes.join(" or ")}`);
  return outcome;
}

/** Rejects when `work` takes longer than its limit; a case must end by itself and say what it waited for. */
export async function within<T>(what: string, work: Promise<T>, limitMs: number = patience.ms): Promise<T> {
  const over = new AbortController();
  const late = delay(limitMs, undefined, { signal: over.signal }).then(async () => {
    // What came while this process was busy is read in the next turn.
    for (let turns = 0; turns < 2; turns += 1) await turn();
    throw new CaseFailure(`${what}: nothing after ${limitMs} ms`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

export type Happening = "open" | "message" | "writable" | "close";

/** A handler that remembers everything, copies what it keeps, and wakes whoever waits. */
export class Recorder implements ConnectionHandler {
  readonly name: string;
  readonly happenings: Happening[] = [];
  readonly connections: Connection[] = [];
  readonly messages: Uint8Array[] = [];
  readonly closings: { connection: Connection; error: IpcError | undefined }[] = [];
  writables = 0;
  /** Called after the event was written down. */
  whenOpen: ((connection: Connection) => void) | undefined;
  whenMessage: ((message: Uint8Array, connection: Connection) => void) | undefined;
  whenWritable: ((connection: Connection) => void) | undefined;
  /** Called at each event, before anything else. */
  spy: ((happening: Happening) => void) | undefined;
  /** False saves memory where only the number of messages matters. */
  keeps = true;
  received = 0;
  #waiting: (() => void)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  onOpen(connection: Connection): void {
    this.#note("open");
    this.connections.push(connection);
    this.whenOpen?.(connection);
    this.#wake();
  }

  onMessage(message: Uint8Array, connection: Connection): void {
    this.#note("message");
    this.received += 1;
    if (this.keeps) this.messages.push(message.slice());
    this.whenMessage?.(message, connection);
    this.#wake();
  }

  onWritable(connection: Connection): void {
    this.#note("writable");
    this.writables += 1;
    this.whenWritable?.(connection);
    this.#wake();
  }

  onClose(connection: Connection, error?: IpcError): void {
    this.#note("close");
    this.closings.push({ connection, error });
    this.#wake();
  }

  #note(happening: Happening): void {
    this.spy?.(happening);
    this.happenings.push(happening);
  }

  #wake(): void {
    for (const check of this.#waiting.slice()) check();
  }

  /** Resolves when the condition holds, looked at after each event of this side. */
  until(what: string, holds: () => boolean, limitMs: number = patience.ms): Promise<void> {
    if (holds()) return Promise.resolve();
    const held = Promise.withResolvers<void>();
    const check = (): void => {
      if (holds()) held.resolve();
    };
    this.#waiting.push(check);
    const seen = (): string => `${this.name} saw ${this.received} messages, ${this.closings.length} closings`;
    return within(`${this.name}: ${what}`, held.promise, limitMs)
      .catch((error: unknown) => {
        throw new CaseFailure(`${error instanceof Error ? error.message : String(error)} (${seen()})`);
      })
      .finally(() => {
        this.#waiting = this.#waiting.filter((other) => other !== check);
      });
  }
}

/** Makes a recorder answer each message with itself. It pauses when the way back is full, as every honest echo must. */
export function echoing(recorder: Recorder): Recorder {
  const held = new Map<Connection, Uint8Array>();
  recorder.keeps = false;
  recorder.whenMessage = (message, connection) => {
    if (connection.send(message)) return;
    held.set(connection, message.slice());
    connection.pause();
  };
  recorder.whenWritable = (connection) => {
    const message = held.get(connection);
    if (message === undefined || !connection.send(message)) return;
    held.delete(connection);
    connection.resume();
  };
  return recorder;
}

/** A server and one client, both in this process. */
export interface Pair {
  readonly server: Server;
  readonly client: Connection;
  readonly atServer: Recorder;
  readonly atClient: Recorder;
}

export function eventFace(context: CheckContext): EventTransport {
  const { event } = context.transport;
  expect(event !== undefined, "the case was run although there is no event face");
  return event;
}

/** Listens, runs the body and closes, whatever the body did. */
export async function withServer(
  context: CheckContext,
  handler: ConnectionHandler,
  body: (server: Server, requested: Address) => Promise<void>,
  options?: OpenOptions,
): Promise<void> {
  const address = await context.allocate();
  const server = await within("listen", eventFace(context).listen(address, handler, options));
  try {
    await body(server, address);
  } catch (error) {
    // What the body saw is the finding; a close that fails after it is its consequence.
    await within("close of the server", server.close()).catch(() => undefined);
    throw error;
  }
  await within("close of the server", server.close());
}

export async function withPair(
  context: CheckContext,
  atServer: Recorder,
  body: (pair: Pair) => Promise<void>,
): Promise<void> {
  await withServer(context, atServer, async (server) => {
    const atClient = new Recorder("the client");
    const client = await within("connect", eventFace(context).connect(server.address, atClient));
    let failed = true;
    try {
      await body({ server, client, atServer, atClient });
      failed = false;
    } finally {
      const closed = client.close(failed ? 500 : undefined);
      await within("close of the client", closed).catch((error: unknown) => {
        if (!failed && !(isIpcError(error) && error.code === "IPC_TIMEOUT")) throw error;
      });
    }
  });
}

/** Sends when there is room: waits for `onWritable` after each refusal. */
export async function sendAll(
  recorder: Recorder,
  connection: Connection,
  messages: Iterable<Uint8Array>,
): Promise<void> {
  for (const message of messages) {
    for (;;) {
      const before = recorder.writables;
      if (connection.send(message)) break;
      await recorder.until("onWritable after a send that answered false", () => recorder.writables > before);
    }
  }
}

/** No buffer between two processes is this large; who takes more without a refusal has no limit at all. */
export const ENOUGH_BYTES: number = 256 * 1024 * 1024;

/**
 * Sends, to a side that has paused, until nothing more is taken for a while. The number of each message is its first u32.
 *
 * @returns how many were taken. @throws CaseFailure when there is no end to it.
 */
export async function fill(recorder: Recorder, connection: Connection, messageBytes: number): Promise<number> {
  const message = pattern(messageBytes, 1);
  let taken = 0;
  while (taken * messageBytes < ENOUGH_BYTES) {
    const before = recorder.writables;
    new DataView(message.buffer).setUint32(0, taken);
    if (connection.send(message)) {
      taken += 1;
      // The event loop must turn now and then, or a transport that hands over in the next turn looks full too soon.
      if (taken % 64 === 0) await delay(0);
    } else {
      const refilled = recorder.until("room", () => recorder.writables > before, WATCH_MS);
      if (
        !(await refilled.then(
          () => true,
          () => false,
        ))
      )
        return taken;
    }
  }
  throw new CaseFailure(`${taken} messages of ${messageBytes} bytes were taken although the other side does not read`);
}

/** Bytes that differ at every place and for every seed, so that a shifted, swapped or stale byte shows. */
export function pattern(bytes: number, seed: number): Uint8Array {
  const filled = new Uint8Array(bytes);
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ bytes) >>> 0 || 1;
  for (let at = 0; at < bytes; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    filled[at] = state >>> 11;
  }
  return filled;
}

export function expectSame(what: string, seen: Uint8Array | undefined, sent: Uint8Array): void {
  expect(seen !== undefined, `${what}: nothing arrived`);
  expect(seen.length === sent.length, `${what}: ${sent.length} bytes were sent, ${seen.length} arrived`);
  const at = seen.findIndex((byte, index) => byte !== sent[index]);
  expect(at < 0, `${what}: byte ${at} of ${sent.length} was sent as ${sent[at]} and arrived as ${seen[at]}`);
}

/** The largest message a case sends: the limit itself where that is moderate. */
export function largestTried({ maxMessageBytes }: Capabilities): number {
  return Math.min(maxMessageBytes, 1024 * 1024);
}
