/**
 * Proves two promises of the answer: `npm run bench:pick [-- --break-even --runs 10]`.
 *
 * Break-even: `compare` computes the work at which a difference is exactly the margin. A second run makes the server do
 * that work, and its break-even, computed from what it measured, must be within 15 % of the first. Runs: plain runs
 * name the same pick, or one that their own words call a tie or immaterial.
 *
 * `--break-even` and `--runs <n>` select a part each; without them both run, about 20 minutes on a quiet machine.
 * `--transport <id>,<id>` replaces the two of the break-even, `--trials <n>` its number of trials.
 */
import { EXIT } from "../results/exit-codes.ts";
import { machineSentence } from "../results/machine-sentence.ts";
import type { Report } from "../results/model.ts";
import { breakEvenMicros, type Judgement, judgeBreakEven } from "./break-even.ts";
import { compare } from "./default/commands.ts";
import type { Run } from "./default/evidence.ts";
import { samePickRow } from "./default/figures.ts";
import { benchOptions, countOf, refuse } from "./options.ts";

const LEAST_TRIALS = 6;

const values = benchOptions({
  "break-even": { type: "boolean", default: false },
  runs: { type: "string" },
  transport: { type: "string", default: "local-socket,http/unix" },
  trials: { type: "string", default: "20" },
});
const isAll = !values["break-even"] && values.runs === undefined;
const trials = countOf("trials", values.trials, LEAST_TRIALS);
const runs = countOf("runs", values.runs ?? "10");
const ids = values.transport.split(",");
if (ids.length !== 2)
  refuse(`--transport ${values.transport} is not two ids; give two, such as local-socket,http/unix`);

const note = (text: string): boolean => process.stderr.write(`${text}\n`);
const reports: Report[] = [];

/** Runs `compare`, and keeps its report for the head of the table. */
async function compared(args: readonly string[]): Promise<Run> {
  const run = await compare(args);
  reports.push(run.report);
  return run;
}

/** Runs both comparisons, at the sizes and the placement of a plain pick. @throws Error where there is no break-even */
async function breakEven(): Promise<Judgement> {
  const sizes = ["--payload", "64", "4KiB", "--placement", "two-cpus", "--no-c-baseline"];
  const args = ["--transport", ...ids, ...sizes, "--trials", String(trials)];
  const { report: without } = await compared(args);
  const us = breakEvenMicros(without);
  if (us === undefined) throw new Error(`${ids.join(" and ")} have no break-even in this run; name two farther apart`);
  note(`break-even ${us} us; the next run has that work`);
  const { report: withWork } = await compared([...args, "--work", `${us}us`]);
  return judgeBreakEven(without, withWork);
}

async function samePick(): Promise<Judgement> {
  const plain: Run[] = [];
  for (let run = 1; run <= runs; run++) {
    const found = await compared([]);
    plain.push(found);
    note(`run ${run} of ${runs}: ${found.report.pick?.transport ?? "no pick"}`);
  }
  const { what, seen, promised, verdict } = samePickRow(plain);
  return { what, seen, promised, holds: verdict === "holds" };
}

function print(rows: readonly Judgement[]): void {
  const machines = new Set(reports.map(({ environment }) => machineSentence(environment)));
  const head = `${[...machines].join("; and ")}; ${reports[0]?.startedAt.slice(0, 10)}`;
  const lines = rows.map(
    ({ what, seen, promised, holds }) => `${what}  ${seen}  ${promised}  ${holds ? "holds" : "MISSED"}`,
  );
  process.stdout.write(`${[head, "", ...lines].join("\n")}\n`);
}

const rows: Judgement[] = [];
try {
  if (isAll || values["break-even"]) rows.push(await breakEven());
  if (isAll || values.runs !== undefined) rows.push(await samePick());
  process.exitCode = rows.every(({ holds }) => holds) ? 0 : 1;
} catch (error) {
  note((error as Error).message);
  process.exitCode ??= EXIT.incomplete;
}
// What was judged before a failure is worth its time.
if (rows.length > 0) print(rows);
