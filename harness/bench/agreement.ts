/**
 * Compares our clock with that of a C client:
 * `npm run bench:agreement [-- --rounds 5 --pairs 12 --bytes 64 --only unix]`.
 *
 * The same echo server in C (`harness/c-baseline`, one `serve` function) answers a C client and, over the blocking
 * face, the harness's own ping-pong, on one CPU. A round starts our side afresh; then the two clients take turns in
 * short windows, so that a pair of windows meets the same machine. Our figure also contains calls through the
 * foreign-function interface and the harness itself, measured in further windows of the same client. The rest is
 * printed as unexplained: the transport's own JavaScript, and caches and page tables of a larger process. Wanted:
 * within 10 % or 1 µs, whichever is larger.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { compileCBaseline } from "../c-baseline/compile.ts";
import { allowedCpus } from "../process/cpus.ts";
import { loadTransport } from "../process/load-transport.ts";
import { createPlace, removePlace } from "../process/place.ts";
import { median } from "../results/quantiles.ts";
import { randomFrom, shuffled } from "../results/random.ts";
import { benchOptions, countOf } from "./options.ts";

const execute = promisify(execFile);

interface Row {
  readonly id: string;
  /** Name in the C program. */
  readonly kind: string;
  /** Number of our system calls in one round trip. */
  readonly calls: number;
  readonly placement: string;
  /** CPU of the server. */
  readonly server: string;
}

const MECHANISMS = [
  { id: "unix", kind: "unix", calls: 2 },
  { id: "fifo", kind: "pipe", calls: 3 },
  { id: "posix-mq", kind: "queue", calls: 2 },
];
const SHARE = 0.1;
const LEAST_NS = 1000;
/** Number of further calls: one alone would be lost in the noise of a round trip. */
const MORE_CALLS = 4;
const LIMIT_MS = 30_000;
const CLIENT = fileURLToPath(new URL("./agreement-client.ts", import.meta.url));

const values = benchOptions({
  rounds: { type: "string", default: "5" },
  pairs: { type: "string", default: "12" },
  bytes: { type: "string", default: "64" },
  messages: { type: "string", default: "1500" },
  only: { type: "string" },
  "two-cpus": { type: "boolean", default: false },
});
const { bytes, messages } = values;
const [rounds, pairs] = [countOf("rounds", values.rounds), countOf("pairs", values.pairs)];
const [first, second] = (allowedCpus() ?? [0]).map(String) as [string, string | undefined];
/** Placements. Two CPUs only on demand and without a verdict: waking a halted one varies by more than is judged. */
const PLACEMENTS: readonly (readonly [name: string, server: string])[] = [
  ["same-cpu", first],
  ...(values["two-cpus"] && second !== undefined ? ([["two-cpus", second]] as const) : []),
];

/** Neighbouring windows, ns. */
interface Turn {
  readonly c: number;
  readonly ours: number;
  /** Round trip with {@link MORE_CALLS} more. */
  readonly call: number;
  readonly harness: number;
}

/** Process that prints lines, ended with the block that uses it. */
class LineProcess {
  readonly #child: ReturnType<typeof spawn>;
  readonly #lines: AsyncIterator<string>;

  constructor(program: string, args: readonly string[]) {
    this.#child = spawn(program, args, {
      stdio: ["pipe", "pipe", "inherit"],
      timeout: LIMIT_MS,
      killSignal: "SIGKILL",
    });
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`${this.#child.spawnargs.join(" ")} ended`);
    return value;
  }

  readonly ask = (line: string): Promise<string> => {
    this.#child.stdin?.write(`${line}\n`);
    return this.line();
  };

  async end(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null) {
      const exited = once(this.#child, "exit");
      this.#child.kill("SIGKILL");
      await exited;
    }
  }
}

async function runC(program: string, kind: string, cpu: string): Promise<number> {
  const args = [kind, first, cpu, bytes, "500", messages];
  const { stdout } = await execute(program, args, { timeout: LIMIT_MS, killSignal: "SIGKILL", maxBuffer: 1 << 26 });
  return median(stdout.trim().split("\n").map(Number));
}

/** Runs our client with the C server at an address of its own, in turn with the C client. */
async function runRound(program: string, row: Row, random: () => number): Promise<Turn[]> {
  const transport = await loadTransport({ id: row.id, module: null });
  const address = await transport.allocate(place);
  const server = new LineProcess(program, ["echo", row.kind, row.server, address.name]);
  let client: LineProcess | undefined;
  try {
    await server.line();
    const node = [process.execPath, CLIENT];
    client = new LineProcess("taskset", [
      "-c",
      first,
      ...node,
      row.id,
      JSON.stringify(address),
      bytes,
      messages,
      String(MORE_CALLS),
    ]);
    await client.line();
    const { ask } = client;
    const windows: Readonly<Record<keyof Turn, () => Promise<number>>> = {
      ours: async () => Number(await ask("plain")),
      c: () => runC(program, row.kind, row.server),
      call: async () => Number(await ask("call")),
      harness: async () => Number(await ask("harness")),
    };
    const turns: Turn[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      const turn = { ours: 0, c: 0, call: 0, harness: 0 };
      // In random order: a window that follows another process finds other caches than one that does not.
      for (const name of shuffled(Object.keys(windows) as (keyof Turn)[], random)) turn[name] = await windows[name]();
      turns.push(turn);
    }
    return turns;
  } finally {
    await client?.end();
    await server.end();
    await transport.sweep(address);
  }
}

const us = (ns: number): string => (ns / 1000).toFixed(2).padStart(7);
const place = await createPlace();
try {
  const program = await compileCBaseline(place);
  if (typeof program !== "string") throw new Error(program.reason);
  const random = randomFrom(Math.floor(Math.random() * 2 ** 32));
  const rows = PLACEMENTS.flatMap(([placement, server]) =>
    MECHANISMS.filter(({ id }) => values.only === undefined || id === values.only).map(
      (each): Row => ({ ...each, placement, server }),
    ),
  );
  const found = new Map(rows.map((row) => [row, [] as Turn[]]));
  for (let round = 0; round < rounds; round++) {
    for (const row of shuffled(rows, random)) found.get(row)?.push(...(await runRound(program, row, random)));
  }
  process.stdout.write(
    `${bytes} B, ${rounds} rounds of ${pairs} pairs of ${messages} round trips; medians, µs\n` +
      "mechanism  placement       C    ours   - calls        - harness  unexplained  allowed\n",
  );
  let held = true;
  for (const [row, turns] of found) {
    const middle = (pick: (turn: Turn) => number): number => median(turns.map(pick));
    const c = middle((turn) => turn.c);
    const callNs = middle((turn) => turn.call - turn.ours) / MORE_CALLS;
    const unexplained = middle((turn) => turn.ours - turn.c - turn.harness) - row.calls * callNs;
    const allowed = Math.max(LEAST_NS, SHARE * c);
    const ok = Math.abs(unexplained) <= allowed;
    if (row.placement === "same-cpu") held &&= ok;
    process.stdout.write(
      `${row.id.padEnd(10)} ${row.placement.padEnd(9)} ${us(c)} ${us(middle((turn) => turn.ours))}  ${row.calls} x ` +
        `${us(callNs).trim()}      ${us(middle((turn) => turn.harness))}      ${us(unexplained)}  ${us(allowed)}   ` +
        `${ok ? "agrees" : "DISAGREES"}\n`,
    );
  }
  process.exitCode = held ? 0 : 1;
} finally {
  await removePlace(place);
}
