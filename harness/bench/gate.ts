/**
 * Measures how often the gate is right: `npm run bench:gate [-- --collect --live 10 --gates 2000]`.
 *
 * Without options it resamples gates from the stored pairs of the same code (`ci/gate/calibration/pairs.json`), with
 * changes put into the head, and writes `ci/gate/CALIBRATION.md`. `--collect` first measures such pairs, base and head
 * the same directory, and adds them to the file (`--pairs 30` of each cell, about 100 s). `--live <n>` runs so many
 * real gates of the default list, base and head the same directory; with `--effect "+10 %"` the head of one cell is
 * that much slower. `--busy` does either beside a busy loop on each CPU.
 *
 * Rows and live gates are kept in `ipcmark-out/bench-gate.json`, so a benchmark that was stopped (Ctrl-C) goes on; a
 * stopped `--collect` adds the pairs that it has. Rows begin anew where the pairs or the number of gates differ.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { nameOf } from "../../ci/gate/cells.ts";
import type { GateResult, GateRow } from "../../ci/gate/result.ts";
import { EXIT } from "../results/exit-codes.ts";
import { count as counted } from "../results/format.ts";
import { machineSentence } from "../results/machine-sentence.ts";
import { median } from "../results/quantiles.ts";
import { randomFrom } from "../results/random.ts";
import { store } from "../results/store.ts";
import { CHANGED_IDS } from "./fixtures/changed.ts";
import { EFFECTS, type Effect, type LiveGate, liveSentences, RealGates } from "./gate/live.ts";
import {
  type Injection,
  type SimulatedGate,
  type StoredPair,
  type StoredRun,
  simulateGate,
  slower,
  wilson,
  withTail,
} from "./gate/simulate.ts";
import { benchOptions, countOf, refuse } from "./options.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAIRS = join(ROOT, "ci/gate/calibration/pairs.json");
const DOCUMENT = join(ROOT, "ci/gate/CALIBRATION.md");
const KEPT = join(ROOT, "ipcmark-out/bench-gate.json");
const BUDGET_MS = 180_000;

const values = benchOptions({
  collect: { type: "boolean", default: false },
  busy: { type: "boolean", default: false },
  pairs: { type: "string", default: "30" },
  live: { type: "string", default: "0" },
  gates: { type: "string", default: "2000" },
  effect: { type: "string" },
});
const gates = countOf("gates", values.gates);
const live = countOf("live", values.live, 0);
const names = Object.keys(EFFECTS) as Effect[];
const effect =
  values.effect === undefined
    ? undefined
    : (names.find((name) => name === values.effect) ??
      refuse(`--effect ${values.effect} is none of ${names.map((name) => `"${name}"`).join(", ")}`));
const note = (text: string): boolean => process.stderr.write(`${text}\n`);

/** Counts of one row of the table, or of the live gates. */
interface Row {
  readonly what: string;
  readonly gates: number;
  readonly red: number;
  readonly undecided: number;
  readonly passed: number;
  /** Gates with a p99 that is red. */
  readonly redTails: number;
  /** Gates in which a changed cell was found, where there is one. */
  readonly found?: number;
  readonly medianMs: number;
}

interface Kept {
  /** Numbers of the pairs and gates from which the rows were computed. */
  readonly of: string;
  readonly rows: readonly Row[];
  readonly live: readonly LiveGate[];
}

type Condition = StoredRun["condition"];

function storedRuns(): StoredRun[] {
  return existsSync(PAIRS) ? (JSON.parse(readFileSync(PAIRS, "utf8")) as StoredRun[]) : [];
}

const real = new RealGates(values.busy);

/** Adds the pairs of a gate to the file. Those of a stopped gate are added too, if each cell has some. */
async function collect(): Promise<void> {
  const pairs = String(countOf("pairs", values.pairs, 8));
  // One look: all cells get all pairs.
  const { result, exitCode } = await real.run(["--pairs", pairs, "--budget", "1s"]);
  const measured = (result?.pairs ?? []).flatMap((each) =>
    "transport" in each.cell ? [{ cell: each.cell, pairs: storedOf(each.pairs) }] : [],
  );
  const counts = measured.map(({ pairs: found }) => found.length);
  const least = counts.length === 0 ? 0 : Math.min(...counts);
  if (result === undefined || least === 0) {
    note(`nothing was added to ${PAIRS}: the gate ended with ${exitCode} before each cell had a pair`);
    if (!real.isStopped) process.exitCode = exitCode === EXIT.ok ? EXIT.incomplete : exitCode;
    return;
  }
  const arms = new Set(measured.map(({ cell }) => `${cell.transport} ${cell.mode} ${cell.placement}`)).size;
  const roundMs = result.roundMs ?? result.durationMs / least;
  const run: StoredRun = {
    date: result.startedAt,
    machine: machineSentence(result.environment),
    condition: values.busy ? "busy" : "quiet",
    pairMs: Math.round(roundMs / arms),
    startMs: Math.max(0, Math.round(result.durationMs - least * roundMs)),
    cells: Object.fromEntries(measured.map(({ cell, pairs: found }) => [nameOf(cell), found])),
  };
  store(dirname(PAIRS), basename(PAIRS), `${JSON.stringify([...storedRuns(), run])}\n`);
  note(`${least} pairs of ${counted(measured.length, "cell")} added to ${PAIRS}`);
}

function storedOf(pairs: GateResult["pairs"][number]["pairs"]): StoredPair[] {
  return pairs.flatMap((pair) => {
    if (!("base" in pair) || typeof pair.base === "number" || typeof pair.head === "number") return [];
    const { base, head } = pair;
    return [[base.p50, head.p50, base.p99, head.p99].map(Math.round) as unknown as StoredPair];
  });
}

/** Row of the table: what is put into how many cells, and which row of a gate finds it. */
interface Case {
  readonly what: string;
  readonly condition: Condition;
  readonly injection?: Injection;
  /** Number of changed cells: one at random, or all. */
  readonly changed?: "one" | "all";
  readonly finds?: (row: GateRow) => boolean;
  readonly budgetMs?: number;
}

const isRed = ({ outcome }: GateRow): boolean => outcome === "regression";
const CASES: readonly Case[] = [
  { what: "no change, quiet", condition: "quiet" },
  { what: "no change, noisy", condition: "noisy" },
  { what: "no change, a busy loop on each CPU, twice the budget", condition: "busy", budgetMs: 2 * BUDGET_MS },
  ...[0.06, 0.1, 0.2].flatMap((share) =>
    (["one", "all"] as const).map((changed): Case => {
      const what = `+${Math.round(share * 100)} % in ${changed === "one" ? "one cell" : "all cells"}`;
      return { what, condition: "quiet", injection: slower(share), changed, finds: isRed };
    }),
  ),
  ...[0.1, 0.2].map((share): Case => {
    const what = `+${Math.round(share * 100)} % in one cell, noisy`;
    return { what, condition: "noisy", injection: slower(share), changed: "one", finds: isRed };
  }),
  {
    what: "2 % of messages ten times the median, one cell",
    condition: "quiet",
    injection: withTail,
    changed: "one",
    finds: (row) => isRed(row) && row.metric === "p99",
  },
];

async function simulate({
  what,
  condition,
  injection,
  changed,
  finds,
  budgetMs = BUDGET_MS,
}: Case): Promise<Row | undefined> {
  const runs = storedRuns().filter((run) => run.condition === condition);
  if (runs.length === 0) return undefined;
  const names = Object.keys((runs[0] as StoredRun).cells);
  const random = randomFrom(1);
  const done: SimulatedGate[] = [];
  let found = 0;
  for (let gate = 0; gate < gates; gate++) {
    const one = names[Math.floor(random() * names.length)] as string;
    const where = changed === "all" ? names : changed === "one" ? [one] : [];
    const injected = new Map(injection === undefined ? [] : where.map((name) => [name, injection] as const));
    const ended = await simulateGate({ runs, changed: injected, budgetMs, random });
    done.push(withoutPasses(ended));
    if (ended.rows.some((row) => finds?.(row) && injected.has(nameOf(row.cell)))) found++;
  }
  return { ...rowOf(what, done), ...(finds === undefined ? {} : { found }) };
}

/** Injects into one cell what a gate without a change states that it could see there. */
async function simulateDetectable(): Promise<Row | undefined> {
  const runs = storedRuns().filter((run) => run.condition === "quiet");
  const [first] = runs;
  if (first === undefined) return undefined;
  const names = Object.keys(first.cells);
  const random = randomFrom(2);
  const done: SimulatedGate[] = [];
  let found = 0;
  for (let gate = 0; gate < gates; gate++) {
    const one = names[Math.floor(random() * names.length)] as string;
    const isMeant = (row: GateRow): boolean => nameOf(row.cell) === one && row.metric === "p50";
    const about = { runs, budgetMs: BUDGET_MS, random };
    const unchanged = await simulateGate({ ...about, changed: new Map() });
    const stated = unchanged.rows.find(isMeant)?.detectable;
    if (stated === undefined) continue;
    const ended = await simulateGate({ ...about, changed: new Map([[one, slower(stated)]]) });
    done.push(withoutPasses(ended));
    if (ended.rows.some((row) => isMeant(row) && isRed(row))) found++;
  }
  return { ...rowOf("what a gate states that it could see, in one cell", done), found };
}

/** Leaves out what no count needs: thousands of gates would fill the memory. */
function withoutPasses(ended: SimulatedGate): SimulatedGate {
  return { ...ended, rows: ended.rows.filter(isRed) };
}

function rowOf(what: string, done: readonly SimulatedGate[]): Row {
  const of = (code: number): number => done.filter(({ exitCode }) => exitCode === code).length;
  const medianMs = median(done.map(({ durationMs }) => durationMs));
  const [red, undecided, passed] = [of(EXIT.regression), of(EXIT.inconclusive), of(EXIT.ok)];
  const redTails = done.filter(({ rows }) => rows.some(({ metric }) => metric === "p99")).length;
  return { what, gates: done.length, red, redTails, undecided, passed, medianMs };
}

function keptRows(): Kept | undefined {
  return existsSync(KEPT) ? (JSON.parse(readFileSync(KEPT, "utf8")) as Kept) : undefined;
}

function keep(kept: Kept): Kept {
  store(join(ROOT, "ipcmark-out"), "bench-gate.json", `${JSON.stringify(kept)}\n`);
  return kept;
}

const shareText = (found: number, of: number): string => {
  const [low, high] = wilson(found, of).map((share) => (share * 100).toFixed(1));
  return `${((found / of) * 100).toFixed(1)} % (${low} to ${high})`;
};

function documentOf({ rows, live: gatesRun }: Kept): string {
  const runs = storedRuns();
  const count = (condition: Condition): number =>
    runs
      .filter((run) => run.condition === condition)
      .reduce((sum, { cells }) => sum + (Object.values(cells)[0]?.length ?? 0), 0);
  const machines = [...new Set(runs.map(({ machine }) => machine))].join("; ");
  const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
  const lines = rows.map((row) => {
    const found = row.found === undefined ? "" : shareText(row.found, row.gates);
    const cells = [
      found,
      shareText(row.red, row.gates),
      `${((row.redTails / row.gates) * 100).toFixed(1)} %`,
      shareText(row.undecided, row.gates),
      shareText(row.passed, row.gates),
    ];
    return `| ${row.what} | ${cells.join(" | ")} | ${seconds(row.medianMs)} |`;
  });
  return `# Calibration of the gate

\`npm run bench:gate\` writes this file. The pairs are real, with the same directory as base and head. Each cell of the
default list has ${count("quiet")} of them at rest, and ${count("busy")} beside a busy loop on each CPU.
The ${count("noisy")} noisy ones were measured at rest before the compiler was held, and scatter by 10 to 19 %. The
rule's thresholds were chosen on a part of them.

${machines}; ${runs
    .map(({ date }) => date.slice(0, 10))
    .toSorted()
    .at(-1)}.

## Resampled gates

Each row has ${gates} gates of eight cells. Each cell goes through the stored pairs (\`calibration/pairs.json\`) from a
random place on, a coin exchanges the sides of each pair, and the change is put into the head. The shares have 95 %
intervals (Wilson). They are of the resampling alone: all rest on the pairs above, which \`--collect\` adds to. "Found"
is the share in which a changed cell is red for the right metric; for "all cells", at least one. "Red p99" is the share
in which a p99 is red, among others or alone. The budget is 3 minutes.

| change | found | red (20) | red p99 | cannot decide (21) | pass (0) | median time |
|---|---|---|---|---|---|---|
${lines.join("\n")}

## Live gates

${liveSentences(gatesRun)}
`;
}

/** Runs real gates, and keeps each when it has ended. */
async function runLive(kept: Kept): Promise<Kept> {
  let all = kept;
  for (let gate = 0; gate < live && !real.isStopped; gate++) {
    const ran = await (effect === undefined ? runUnchanged() : real.runChanged(effect, changedIn(all.live)));
    if (ran === undefined) break;
    all = keep({ ...all, live: [...all.live, ran] });
    note(JSON.stringify(ran));
  }
  return all;
}

async function runUnchanged(): Promise<LiveGate | undefined> {
  const { result, exitCode } = await real.run([]);
  if (real.isStopped || result === undefined) {
    if (!real.isStopped) process.exitCode = exitCode;
    return undefined;
  }
  const condition = values.busy ? "busy" : "quiet";
  return { date: result.startedAt, condition, exitCode, durationMs: result.durationMs };
}

/** Returns the mechanism that has been changed least often. */
function changedIn(gatesRun: readonly LiveGate[]): (typeof CHANGED_IDS)[number] {
  const times = (id: string): number => gatesRun.filter((gate) => gate.effect === effect && gate.changed === id).length;
  return CHANGED_IDS.toSorted((a, b) => times(a) - times(b))[0] as (typeof CHANGED_IDS)[number];
}

/** Resamples the rows that are not there yet. */
async function resample(begun: Kept): Promise<Kept> {
  let kept = begun;
  const left = [
    ...CASES.map((each) => [each.what, () => simulate(each)] as const),
    ["what a gate states that it could see, in one cell", simulateDetectable] as const,
  ];
  for (const [what, run] of left) {
    if (kept.rows.some((row) => row.what === what)) continue;
    const row = await run();
    if (row === undefined) note(`${what}: there are no such pairs yet; --collect measures them`);
    else kept = keep({ ...kept, rows: [...kept.rows, row] });
    if (row !== undefined) note(JSON.stringify(row));
  }
  return kept;
}

if (values.collect) await collect();
const runs = storedRuns();
const pairsOf = runs.map(({ cells }) => Object.values(cells)[0]?.length ?? 0).join("+");
const of = `${pairsOf} pairs, ${gates} gates`;
const fresh: Kept = { of, rows: [], live: keptRows()?.live ?? [] };
// Live gates change no rows, whatever pairs the rows were computed from.
let kept = await runLive(keptRows() ?? fresh);
if (!values.collect && live === 0) kept = await resample(kept.of === of ? kept : fresh);
if (runs.length > 0 && kept.of === of && kept.rows.length > 0) writeFileSync(DOCUMENT, documentOf(kept));
if (real.isStopped) {
  note("stopped: what was measured is kept, and the same command goes on");
  process.exitCode = EXIT.sigint;
}
