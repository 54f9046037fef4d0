/** Small tools for the mechanisms' own tests: a private place, a server process, a client that collects. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { IpcError } from "../contract/errors.ts";
import type { Address, Connection, ConnectionHandler, Place, Transport } from "../contract/transport.ts";

const SERVER = fileURLToPath(new URL("./echo-server.ts", import.meta.url));
const LIMIT_MS = 10_000;

export async function makePlace(): Promise<Place & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), "ipcmark-t-"));
  return {
    directory,
    prefix: `ipcmark-${randomBytes(8).toString("hex")}`,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

export interface ServerProcess {
  readonly address: Address;
  readonly child: ChildProcess;
  kill(): Promise<void>;
  /** Ends it in order; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** @param moduleUrl module that exports the transport `exportName` */
export async function startServer(moduleUrl: URL, exportName: string, address: Address): Promise<ServerProcess> {
  const child = spawn(process.execPath, [SERVER, fileURLToPath(moduleUrl), exportName, JSON.stringify(address)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = new Promise<number | null>((resolve) => {
    child.once("exit", (code) => resolve(code));
  });
  const line = await within(
    "the server's first line",
    new Promise<string>((resolve, reject) => {
      createInterface(child.stdout).once("line", resolve);
      exited.then((code) => reject(new Error(`the server ended with ${code}`)));
    }),
  );
  return {
    address: JSON.parse(line) as Address,
    child,
    async kill() {
      child.kill("SIGKILL");
      await within("the end of a killed server", exited);
    },
    async stop() {
      child.stdin.end();
      return within("the orderly end of the server", exited);
    },
  };
}

export async function within<T>(what: string, promise: Promise<T>, limitMs = LIMIT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Collects what a connection reports. */
export class Collector implements ConnectionHandler {
  readonly messages: Buffer[] = [];
  readonly connections: Connection[] = [];
  readonly closed: Promise<IpcError | undefined>;
  closes = 0;
  writable = 0;
  #close: (error: IpcError | undefined) => void = () => undefined;
  #check: (() => void)[] = [];

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  onOpen(connection: Connection): void {
    this.connections.push(connection);
    this.#changed();
  }
  onMessage(message: Uint8Array): void {
    this.messages.push(Buffer.from(message));
    this.#changed();
  }
  onWritable(): void {
    this.writable++;
    this.#changed();
  }
  onClose(_connection: Connection, error?: IpcError): void {
    this.closes++;
    this.#close(error);
    this.#changed();
  }

  #changed(): void {
    for (const check of this.#check) check();
  }

  /** Resolves when `condition` holds; it is checked after every event. */
  async until(what: string, condition: () => boolean, limitMs?: number): Promise<void> {
    if (condition()) return;
    let check: () => void = () => undefined;
    const holds = new Promise<void>((resolve) => {
      check = () => condition() && resolve();
    });
    this.#check.push(check);
    try {
      await within(what, holds, limitMs);
    } finally {
      this.#check = this.#check.filter((other) => other !== check);
    }
  }

  async count(messages: number, limitMs?: number): Promise<void> {
    await this.until(`message ${messages}`, () => this.messages.length >= messages, limitMs);
  }
}

/** Sends one message and waits for the next one to arrive. */
export async function roundTrip(
  connection: Connection,
  collector: Collector,
  message: Uint8Array,
  limitMs?: number,
): Promise<Buffer> {
  const before = collector.messages.length;
  if (!connection.send(message)) throw new Error("send answered false on an idle connection");
  await collector.count(before + 1, limitMs);
  return collector.messages[before] as Buffer;
}

/** Makes a buffer in which every byte depends on its place, so that a cut or swapped message is noticed. */
export function pattern(bytes: number, seed = 1): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  for (let i = 0, x = seed | 0; i < bytes; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    buffer[i] = x >>> 24;
  }
  return buffer;
}

export async function connectCollector(
  transport: Transport,
  address: Address,
): Promise<{ connection: Connection; collector: Collector }> {
  const collector = new Collector();
  if (transport.event === undefined) throw new Error(`${transport.id} has no event face`);
  const connection = await within(`connect of ${transport.id}`, transport.event.connect(address, collector));
  return { connection, collector };
}
