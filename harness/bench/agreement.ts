/**
 * Does our clock agree with that of a C client? `npm run bench:agreement [-- --rounds 7 --bytes 64 --only unix]`.
 *
 * The same echo server in C (`harness/limit`, one `serve` function) answers a C client and, over the blocking face, the harness's own
 * ping-pong; in turn within each round, on one CPU. What our figure has more is calls through the foreign-function interface and the
 * harness itself, both measured in the process that is timed; what then remains is printed as unexplained, with what of it is the
 * transport's own JavaScript. Wanted: within 10 % or 1 µs, whichever is larger.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import type { Address, Transport } from "../../transports/contract/transport.ts";
import { compileLimits } from "../coordinator/compile-limits.ts";
import { allowedCpus } from "../process/cpus.ts";
import { loadTransport } from "../process/load-transport.ts";
import { createPlace, removePlace } from "../process/place.ts";
import { median } from "../results/quantiles.ts";
import { randomFrom, shuffled } from "../results/random.ts";

const execute = promisify(execFile);

interface Row {
  readonly id: string;
  /** Its name in the C program. */
  readonly kind: string;
  /** System calls of ours in one round trip. */
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
const LIMIT_MS = 30_000;
const CLIENT = fileURLToPath(new URL("./agreement-client.ts", import.meta.url));

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    bytes: { type: "string", default: "64" },
    messages: { type: "string", default: "3000" },
    only: { type: "string" },
    "two-cpus": { type: "boolean", default: false },
  },
});
const { bytes, messages } = values;
const [first, second] = (allowedCpus() ?? [0]).map(String) as [string, string | undefined];
/** On two CPUs the time to wake a halted one differs from pair to pair by more than is judged here: on demand, and to look at. */
const PLACEMENTS: readonly (readonly [name: string, server: string])[] = [
  ["same-cpu", first],
  ...(values["two-cpus"] && second !== undefined ? ([["two-cpus", second]] as const) : []),
];

interface Answer {
  readonly p50: number;
  /** Of one round trip, what is spent outside of the transport. */
  readonly harnessNs: number;
  /** Of one round trip, the transport's own JavaScript: framing, copying. Printed, not subtracted. */
  readonly transportNs: number;
  /** One call of the C library in a loop of its own. */
  readonly callNs: number | null;
}

async function runClient(id: string, address: string): Promise<Answer> {
  const args = [
    "-c",
    first,
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    CLIENT,
    id,
    address,
    bytes,
    messages,
  ];
  const { stdout } = await execute("taskset", args, { timeout: LIMIT_MS, killSignal: "SIGKILL" });
  return JSON.parse(stdout) as Answer;
}

async function runC(program: string, kind: string, cpu: string): Promise<number> {
  const args = [kind, first, cpu, bytes, "3000", messages];
  const { stdout } = await execute(program, args, { timeout: LIMIT_MS, killSignal: "SIGKILL", maxBuffer: 1 << 26 });
  return median(stdout.trim().split("\n").map(Number));
}

/** Our client with the C server at an address of its own. */
async function runOurs(program: string, row: Row, transport: Transport, address: Address): Promise<Answer> {
  const server: ChildProcess = spawn(program, ["echo", row.kind, row.server, address.name], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(server, "exit");
  try {
    const lines = createInterface({ input: server.stdout as NodeJS.ReadableStream });
    await Promise.race([
      once(lines, "line"),
      exited.then(([code]) => Promise.reject(new Error(`echo server: ${code}`))),
    ]);
    return await runClient(row.id, JSON.stringify(address));
  } finally {
    const timer = setTimeout(() => server.kill("SIGKILL"), 1000);
    await exited;
    clearTimeout(timer);
    await transport.sweep(address);
  }
}

const us = (ns: number): string => (ns / 1000).toFixed(2).padStart(7);
const place = createPlace();
try {
  const program = await compileLimits(place);
  if (typeof program !== "string") throw new Error(program.reason);
  const random = randomFrom(Math.floor(Math.random() * 2 ** 32));
  const rows = PLACEMENTS.flatMap(([placement, server]) =>
    MECHANISMS.filter(({ id }) => values.only === undefined || id === values.only).map(
      (each): Row => ({ ...each, placement, server }),
    ),
  );
  const found = new Map(rows.map((row) => [row, { c: [] as number[], ours: [] as Answer[] }]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const row of shuffled(rows, random)) {
      const transport = await loadTransport({ id: row.id, module: null });
      const seen = found.get(row);
      const c = async (): Promise<void> => void seen?.c.push(await runC(program, row.kind, row.server));
      const ours = async (): Promise<void> => {
        seen?.ours.push(await runOurs(program, row, transport, await transport.allocate(place)));
      };
      for (const side of random() < 0.5 ? [c, ours] : [ours, c]) await side();
    }
  }
  const all = [...found.values()].flatMap(({ ours }) => ours);
  const callNs = median(all.flatMap(({ callNs: each }) => each ?? []));
  process.stdout.write(
    `${bytes} B, ${values.rounds} rounds of ${messages} round trips; one call through ffi ${us(callNs).trim()} µs\n` +
      "mechanism  placement       C    ours  - calls  - harness  unexplained  allowed            of it JavaScript of the transport   (µs, medians of the rounds' p50)\n",
  );
  let held = true;
  for (const [row, seen] of found) {
    const c = median(seen.c);
    const ours = median(seen.ours.map(({ p50 }) => p50));
    const harnessNs = median(seen.ours.map((each) => each.harnessNs));
    // Within rounds: the machine may have changed speed between them.
    const beyond = seen.ours.map((each, at) => each.p50 - each.harnessNs - (seen.c[at] as number));
    const unexplained = median(beyond) - row.calls * callNs;
    const allowed = Math.max(LEAST_NS, SHARE * c);
    const ok = Math.abs(unexplained) <= allowed;
    if (row.placement === "same-cpu") held &&= ok;
    process.stdout.write(
      `${row.id.padEnd(10)} ${row.placement.padEnd(9)} ${us(c)} ${us(ours)}  ${us(row.calls * callNs)}   ${us(harnessNs)}        ${us(unexplained)}  ${us(allowed)}   ${(ok ? "agrees" : "DISAGREES").padEnd(9)}  ${us(median(seen.ours.map(({ transportNs }) => transportNs)))}\n`,
    );
  }
  process.exitCode = held ? 0 : 1;
} finally {
  await removePlace(place);
}
