import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Transport } from "../../transports/contract/transport.ts";
import type { BindingName } from "../../transports/posix/libc.ts";
import { REGISTRY } from "../../transports/registry.ts";
import { benchOptions, countOf } from "./options.ts";
import { judge, type Round } from "./round-groups.ts";

/**
 * Compares each mechanism with a C program that does the same work, round by round in turn, on the same CPUs, with the
 * same payload: `npm run bench:c-baseline`. Options: `--rounds 20 --pairs 4 --only <text>`.
 */
interface Row {
  readonly id: string;
  readonly face: "blocking" | "event";
  /** Name in the C program. */
  readonly kind: string;
  readonly placement: "same-cpu" | "two-cpus";
  readonly bodyBytes: number;
  /** Largest ours / C; for a stream, smallest C's time / ours. */
  readonly bound: number;
  readonly stream?: boolean;
  readonly binding?: BindingName;
  readonly messages: number;
}

const row = (
  id: string,
  kind: string,
  placement: Row["placement"],
  bodyBytes: number,
  bound: number,
  messages: number,
) => ({ id, face: "blocking", kind, placement, bodyBytes, bound, messages }) as const;

const ROWS: readonly Row[] = [
  row("shm/semaphore", "semaphore", "same-cpu", 64, 1.3, 10_000),
  row("shm/futex", "futex", "same-cpu", 64, 1.45, 10_000),
  row("posix-mq", "queue", "same-cpu", 64, 1.65, 10_000),
  { ...row("posix-mq", "queue", "same-cpu", 64, 4.0, 5_000), binding: "ffi-rs" },
  row("unix", "unix", "same-cpu", 64, 1.25, 10_000),
  { ...row("unix", "unix", "same-cpu", 64, 2.2, 10_000), face: "event" },
  row("shm/spin", "spin", "two-cpus", 64, 1.6, 5_000),
  row("shm/spin", "spin", "two-cpus", 4096, 1.2, 3_000),
  row("shm/spin", "spin", "two-cpus", 65_536, 1.2, 500),
  { ...row("shm/spin", "spin-stream", "two-cpus", 64, 0.4, 100_000), stream: true },
  { ...row("shm/spin", "spin-stream", "two-cpus", 65_536, 0.75, 2_000), stream: true },
];

const NODE_CHILD = join(import.meta.dirname, "c-baseline-node.ts");
const SOURCE = join(import.meta.dirname, "..", "c-baseline", "ping-pong.c");
/** Counts above this select a stream: the two processes receive nothing but one number a line. */
const STREAM = 2 ** 32;
const WARM_UP_ROUNDS = 3;
/** Factor by which turns on two CPUs are shorter and more numerous, see {@link runPair}. */
const SHORT_TURNS = 5;

const values = benchOptions({
  rounds: { type: "string", default: "20" },
  pairs: { type: "string", default: "4" },
  only: { type: "string" },
});
const [rounds, pairs] = [countOf("rounds", values.rounds), countOf("pairs", values.pairs)];
const directory = mkdtempSync(join(tmpdir(), "ipcmark-"));
const place = { directory, prefix: `ipcmark-${randomBytes(8).toString("hex")}` };
const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** Process that reads counts, one a line, and answers each with a line of JSON. */
class Child {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  constructor(command: string, args: readonly string[], env = process.env) {
    this.#process = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], env });
    this.#reader = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  async next(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("a process of the pair ended early");
    return JSON.parse(value);
  }

  tell(count: number): void {
    this.#process.stdin?.write(`${count}\n`);
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.stdin?.end();
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), 2000);
    await exited;
    clearTimeout(timer);
    this.#reader.close();
  }
}

function startOurs(role: string, row: Row, addressJson: string, cpu: number): Child {
  const script = [NODE_CHILD, role, row.id, row.face, addressJson, String(row.bodyBytes)];
  const args = ["-c", String(cpu), process.execPath, ...script];
  return new Child("taskset", args, row.binding && { ...process.env, IPCMARK_FFI: row.binding });
}

/**
 * Runs both pairs in turn; the waiting one sleeps. Turns last milliseconds: a host sometimes moves the CPUs of a
 * virtual machine to other cores, and a pair measured seconds later may meet other hardware.
 */
async function runPair(program: string, row: Row, transport: Transport, into: Round[]): Promise<void> {
  const [clientCpu, serverCpu] = [0, row.placement === "same-cpu" ? 0 : 1];
  const address = await transport.allocate(place);
  const c = new Child(program, [row.kind, clientCpu, serverCpu, row.bodyBytes].map(String));
  const server = startOurs("server", row, JSON.stringify(address), serverCpu);
  const turns = row.placement === "two-cpus" ? SHORT_TURNS : 1;
  let client: Child | undefined;
  let connected = false;
  try {
    await server.next();
    client = startOurs("client", row, JSON.stringify(address), clientCpu);
    // A blocking server accepts only while it receives: the first round's count goes out before the client is there.
    for (let round = -WARM_UP_ROUNDS * turns; round < (rounds / pairs) * turns; round++) {
      const count = row.stream ? STREAM + row.messages : row.messages;
      server.tell(count);
      if (!connected) await client.next();
      connected = true;
      client.tell(count);
      const answer = (await client.next()) as { p50?: number; elapsedNs?: number };
      c.tell(row.messages);
      const cNs = (await c.next()) as number;
      if (round >= 0) into.push({ c: cNs, ours: answer.p50 ?? (answer.elapsedNs as number) });
    }
  } finally {
    await c.end();
    await client?.end();
    await server.end();
    await transport.sweep(address);
  }
}

async function measure(program: string, row: Row): Promise<boolean> {
  const transport = (await REGISTRY.find(({ id }) => id === row.id)?.load()) as Transport;
  const seen: Round[] = [];
  for (let pair = 0; pair < pairs; pair++) await runPair(program, row, transport, seen);
  const { ratio, rounds: judged, groups } = judge(seen);
  const outcome = (value: number): number => (row.stream ? 1 / value : value);
  const held = row.stream ? outcome(ratio) >= row.bound : ratio <= row.bound;
  const scale = row.stream ? row.messages : 1;
  const micros = (ns: number): string => (ns / scale / 1000).toFixed(ns / scale < 100 ? 3 : 2);
  const what = `${row.id} ${row.stream ? "stream" : row.face}${row.binding ? ` (${row.binding})` : ""}`;
  print(
    `${held ? "held " : "ABOVE"} ${what.padEnd(26)} ${row.placement} ${String(row.bodyBytes).padStart(6)} B  ` +
      `ratio ${outcome(ratio).toFixed(2)} ` +
      `(${row.stream ? "at least" : "at most"} ${row.bound}; ${judged} of ${seen.length} rounds)`,
  );
  for (const group of groups) {
    const times = `C ${micros(group.c)}, ours ${micros(group.ours)} µs`;
    print(`        ${times}: ${outcome(group.ratio).toFixed(2)} in ${group.rounds} rounds`);
  }
  return held;
}

try {
  const program = join(directory, "ping-pong");
  execFileSync("cc", ["-O2", "-o", program, SOURCE, "-pthread", "-lrt"]);
  let failed = 0;
  for (const row of ROWS) {
    const name = `${row.id} ${row.face} ${row.stream ? "stream" : ""}`;
    if (values.only !== undefined && !name.includes(values.only)) continue;
    if (!(await measure(program, row))) failed++;
  }
  process.exitCode = failed === 0 ? 0 : 10;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
