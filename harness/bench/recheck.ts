/**
 * Proves what a recheck promises: `npm run bench:recheck -- --dir <folder> [--runs 40 --kind slow --node <program>]`.
 *
 * The first call records a decision between two sockets of this machine in that folder: a copy of `unix`, whose server
 * can be made slower by a variable, and `tcp`. Rechecks follow, and their exit codes are added to those of earlier
 * calls, so that the 40 of each kind can be run in several parts. `--kind slow` makes the round trip of the copy twice
 * as long. `--node <program>` rechecks with another Node, once. `--budget 20s` is the time of each recheck.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadRecord } from "../decision/record.ts";
import { optionsOf } from "../decision/verdict.ts";
import { questionOfPick } from "../pick/pick.ts";
import { nodeCommand } from "../process/node-command.ts";
import { loadReport } from "../results/load-report.ts";
import { machineSentence } from "../results/machine-sentence.ts";
import { median } from "../results/quantiles.ts";
import { compareRounds } from "../results/ranking.ts";
import { store } from "../results/store.ts";
import { compare } from "./default/commands.ts";
import { DELAYS_VARIABLE } from "./fixtures/slow-unix.ts";
import { benchOptions, countOf, refuse } from "./options.ts";
import { KINDS, type Kind, type Recheck, summaryOf } from "./recheck/summary.ts";

/** Largest ratio of the rival in the record: a pick that is twice as slow must lose to it. */
const MOST_RATIO = 1.5;
const KEPT_CHARACTERS = 4000;

const values = benchOptions({
  dir: { type: "string" },
  runs: { type: "string", default: "40" },
  kind: { type: "string", default: "unchanged" },
  node: { type: "string" },
  budget: { type: "string" },
});
const directory = values.dir ?? refuse("--dir is missing; name a folder for the record and the results");
const kind =
  KINDS.find((each) => each === values.kind) ?? refuse(`--kind ${values.kind} is none of ${KINDS.join(", ")}`);
const record = join(directory, "0001-ipc.md");
const results = join(directory, "rechecks.json");
const note = (text: string): boolean => process.stderr.write(`${text}\n`);
const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

/** Sentence on the machine and the record. */
let about = "";

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  /** Last line on stderr: the reason where nothing was measured. */
  readonly said: string;
}

function run([file, ...args]: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(file as string, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-KEPT_CHARACTERS);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, said: stderr.trim().split("\n").at(-1) ?? "" }));
  });
}

/** Records the decision, where the folder has none. @throws Error where it is no ground for the promises */
async function recordDecision(): Promise<void> {
  if (existsSync(record)) return;
  // Two CPUs of a busy host wake each other late, and rounds scatter by a factor of five.
  const where = ["--placement", "same-cpu", "--no-c-baseline", "--profile", fixture("no-work-profile.ts")];
  const { report } = await compare(["--transport", fixture("slow-unix.ts"), "tcp", ...where]);
  const file = store(directory, "report.json", JSON.stringify(report));
  const { code, said } = await run(nodeCommand("cli/main", [], ["report", file, "--adr", record]));
  if (code !== 0) throw new Error(`report --adr ended with ${code}: ${said}`);
}

/** Returns the delay of each size that makes the round trip of the record twice as long, as the fixture reads it. */
function delays(): string {
  const { evidence, chosen } = loadRecord(record);
  const report = loadReport(join(directory, evidence.name));
  if (report.pick === null) throw new Error(`${evidence.name} has no pick`);
  const options = optionsOf(report, questionOfPick(report.pick));
  const own = options.get(chosen);
  const rival = [...options].find(([name]) => name !== chosen)?.[1];
  if (own === undefined || rival === undefined || chosen === "tcp")
    throw new Error(`the pick ${chosen} is not the copy`);
  const { ratio } = compareRounds(rival.rounds, own.rounds);
  if (ratio >= MOST_RATIO)
    throw new Error(
      `${rival.name} takes ${ratio.toFixed(2)} times as long; record again where that is less than ${MOST_RATIO}`,
    );
  about = `${machineSentence(report.environment)}; in the record ${rival.name} takes ${ratio.toFixed(2)} times as long`;
  return JSON.stringify(own.rows.map((row) => [row.payloadBytes, row.latencyNs?.p50 ?? 0]));
}

async function recheck(each: Kind): Promise<Recheck> {
  const startedMs = performance.now();
  const out = ["--out", join(directory, "out")];
  const budget = values.budget === undefined ? [] : ["--budget", values.budget];
  const [own, ...args] = nodeCommand("cli/main", [], ["recheck", record, ...out, ...budget]);
  const env = each === "slow" ? { [DELAYS_VARIABLE]: delays() } : {};
  const { code, stdout, said } = await run([values.node ?? own, ...args], env);
  const sentence = stdout.split("\n\n")[0]?.trim() || said;
  return { kind: each, code, sentence, wallMs: Math.round(performance.now() - startedMs) };
}

try {
  await recordDecision();
  delays();
  const before: readonly Recheck[] = existsSync(results) ? JSON.parse(readFileSync(results, "utf8")) : [];
  const all = [...before];
  const wanted = values.node === undefined ? countOf("runs", values.runs) : 1;
  for (let at = 1; at <= wanted; at++) {
    const found = await recheck(values.node === undefined ? kind : "node");
    all.push(found);
    store(directory, "rechecks.json", JSON.stringify(all, null, 1));
    note(`${at} of ${wanted}, ${found.kind}: ${found.code} in ${Math.round(found.wallMs / 1000)} s: ${found.sentence}`);
  }
  const lines = summaryOf(all);
  process.stdout.write(`${about}\n`);
  process.stdout.write(`${lines.map(({ text }) => text).join("\n")}\n`);
  note(`median time of a recheck: ${Math.round(median(all.map(({ wallMs }) => wallMs)) / 1000)} s`);
  process.exitCode = lines.every(({ holds }) => holds) ? 0 : 1;
} catch (error) {
  note((error as Error).message);
  process.exitCode ??= 1;
}
