/**
 * Compares the harness with known delays: `npm run bench:truth [-- --trials 7]`.
 *
 * 1. Delays from a table (constant, bimodal 70/30, 3 % at ten times): p50, p90, p99 must be delay + floor within 2 %.
 *    Both come from the fixture's own record with another clock. The delay is the time from `send` to the delivery of
 *    the reply, which a machine that takes the CPU away makes longer than in the table. The floor is the median of the
 *    time from a delivery to the next `send`. The delay of the table plus the p50 without delays is printed beside it:
 *    right on a machine that disturbs nobody and whose caches stay warm.
 * 2. A server that stalls 50 ms every second: `paced` must show it at its percentile, and `ping-pong` hides it.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median, quantileSorted } from "../results/quantiles.ts";
import { LOG_VARIABLE } from "./fixtures/delayed-loopback.ts";
import { STALL, TABLES } from "./fixtures/truth.ts";
import { measureCells } from "./measure-cells.ts";
import { benchOptions, countOf } from "./options.ts";

const MODULE = fileURLToPath(new URL("./fixtures/truth.ts", import.meta.url));
const TRIALS = countOf("trials", benchOptions({ trials: { type: "string", default: "7" } }).trials);
const MESSAGES = 2000;
const WITHIN = 0.02;
const seed = Math.floor(Math.random() * 2 ** 32);
let held = true;

const us = (ns: number): string => `${(ns / 1000).toFixed(1)} µs`.padStart(12);
const share = (error: number): string => `${error >= 0 ? "+" : ""}${(error * 100).toFixed(2)} %`.padStart(10);

function line(what: string, expected: number, found: number, within: number, inTable?: number): void {
  const error = found / expected - 1;
  const ok = Math.abs(error) <= within;
  held &&= ok;
  const beside = inTable === undefined ? "" : `${us(inTable)}${share(found / inTable - 1)}`;
  process.stdout.write(
    `${what.padEnd(24)}${us(expected)}${us(found)}${share(error)}  ${(ok ? "holds" : "MISSED").padEnd(7)}${beside}\n`,
  );
}

/** Returns the recorded times of each trial's window, ns, sorted: the newest messages of each process with enough. */
function recordsOf(directory: string, name: string): Float64Array[] {
  return readdirSync(directory)
    .filter((file) => file.startsWith(`truth-${name}-`))
    .map((file) => new Float64Array(new Uint8Array(readFileSync(join(directory, file))).buffer))
    .filter(({ length }) => length >= 2 * MESSAGES)
    .map((log) => {
      const window = log.slice(-2 * MESSAGES);
      // Nothing follows the last message.
      const floors = window.slice(0, -1).filter((_, at) => at % 2 === 1);
      const floorNs = quantileSorted(floors.sort(), 0.5);
      return window
        .filter((_, at) => at % 2 === 0)
        .map((ns) => ns + floorNs)
        .sort();
    });
}

process.stdout.write(
  `seed ${seed}, ${TRIALS} trials of ${MESSAGES} messages, medians over trials\n${"".padEnd(24)}` +
    `${"expected".padStart(12)}${"found".padStart(12)}${"error".padStart(10)}${"".padEnd(9)}` +
    `${"table+loop".padStart(12)}${"error".padStart(10)}\n`,
);
const names = Object.keys(TABLES);
const directory = mkdtempSync(join(tmpdir(), "ipcmark-truth-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
process.env[LOG_VARIABLE] = directory;
const rows = await measureCells({
  references: names.map((name) => ({ id: `truth/${name}`, module: MODULE })),
  placement: "two-cpus",
  benchmark: "round-trip",
  trials: TRIALS,
  messages: MESSAGES,
  seed,
});
const bareNs = rows[names.indexOf("floor")]?.latencyNs?.p50 ?? Number.NaN;
process.stdout.write(`without delays ${(bareNs / 1000).toFixed(2)} µs\n`);
for (const [index, name] of names.entries()) {
  const table = [...(TABLES[name] ?? [])].sort((a, b) => a - b);
  const latencyNs = rows[index]?.latencyNs;
  if (table.length === 0 || latencyNs === undefined) continue;
  const records = recordsOf(directory, name);
  if (records.length !== TRIALS) throw new Error(`${name}: ${records.length} records of ${TRIALS} trials`);
  for (const [label, q] of [
    ["p50", 0.5],
    ["p90", 0.9],
    ["p99", 0.99],
  ] as const) {
    const expected = median(records.map((took) => quantileSorted(took, q)));
    line(`${name} ${label}`, expected, latencyNs[label] ?? Number.NaN, WITHIN, quantileSorted(table, q) + bareNs);
  }
}

const stall = { references: [{ id: "truth/stall", module: MODULE }], placement: "two-cpus", trials: 3, seed } as const;
const [open] = await measureCells({
  ...stall,
  benchmark: "load-curve",
  variant: { ratePerSecond: 1000, arrivals: "fixed" },
  messages: 4000,
});
// 5 % of the arrivals meet the stall and wait evenly between 0 and 50 ms; 1 % of all wait more than four fifths of it.
const expectedP99 = STALL.stallMs * 1e6 * (1 - 0.01 / (STALL.stallMs / STALL.periodMs));
line("stall, paced p99", expectedP99, open?.latencyNs?.p99 ?? Number.NaN, 0.1);
const [closed] = await measureCells({ ...stall, benchmark: "round-trip", messages: 600_000 });
const hiddenNs = closed?.latencyNs?.p99 ?? Number.NaN;
const hidden = hiddenNs < expectedP99 / 100;
held &&= hidden;
process.stdout.write(
  `${"stall, ping-pong p99".padEnd(36)}${`${(hiddenNs / 1000).toFixed(1)} µs`.padStart(12)}  ` +
    `${hidden ? "hidden, as expected: this is why paced exists" : "NOT HIDDEN"}; ` +
    `its maximum is ${((closed?.latencyNs?.max ?? 0) / 1e6).toFixed(1)} ms\n`,
);
process.exitCode = held ? 0 : 1;
