import { basename, dirname, join } from "node:path";
import { questionOfPick } from "../pick/pick.ts";
import { reportIn } from "../results/load-report.ts";
import { kernelVersion, virtualOrNot } from "../results/machine-sentence.ts";
import type { Pick as Answer, MeasuredRow, Measurement, Question, Report, Trial } from "../results/model.ts";
import { parseJson } from "../results/parse-json.ts";
import { reasonOf, StoreError } from "../results/store.ts";
import { readTextFile } from "../results/text-file.ts";
import { fingerprintOf } from "./conditions.ts";

/** Report of a `compare` with an answer, so that a decision can be based on it. */
export interface Decided extends Report {
  readonly pick: Answer;
  readonly question: Question;
}

/** File of the evidence, which lies beside the record. The record has its name and hash. */
export interface EvidenceFile {
  readonly name: string;
  readonly text: string;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

const FIGURES = ["latencyNs", "messagesPerSecond", "cpuNsPerMessage"] as const satisfies readonly (keyof MeasuredRow)[];
const TRIAL = ["round", "status", "reason", ...FIGURES] as const;
const ROW = [
  ...["benchmark", "model", "transport", "mode", "placement", "payloadBytes", "inFlight", "clients", "ratePerSecond"],
  ...["codec", "corpus", "peer", "client", "arrivals", "batched", "mix", "recorded"],
  ...["workMicros", "messages", "status", "reason"],
  ...[...FIGURES, "interval"],
];
const QUANTILES = ["p50", "p99"];

/**
 * Reduces a report to the evidence of its pick: the rows of the question with the figures of each trial, the checks,
 * the records of the transports, and the facts of the machine that a document may name. The result is a report again,
 * without absolute paths.
 *
 * @param modules path of the module of each transport that is not part of ipcmark, by the id of the transport
 */
export function evidenceIn(report: Decided, modules: ReadonlyMap<string, string> = new Map()): Decided {
  const { pick, environment, question, candidates } = report;
  const { memoryBytes: _memory, allowedCpus: _cpus, cgroup: _group, ...machine } = environment;
  const kept = {
    schemaVersion: report.schemaVersion,
    complete: true,
    startedAt: report.startedAt,
    durationMs: report.durationMs,
    commandLine: report.commandLine,
    seed: report.seed,
    ...(report.startedFrom === undefined ? {} : { startedFrom: report.startedFrom }),
    environment: {
      ...machine,
      kernel: kernelVersion(environment.kernel),
      virtualization: virtualOrNot(environment.virtualization),
      fingerprint: fingerprintOf(environment),
    },
    transports: report.transports.map((record) => {
      const module = modules.get(record.id);
      return module === undefined ? record : { ...record, module };
    }),
    checks: report.checks.map(({ error: _error, ...check }) => check),
    measurements: rowsOfPick(report.measurements, pick),
    cBaseline: [],
    pick,
    question,
    ...(candidates === undefined ? {} : { candidates }),
    ...(report.duration === undefined ? {} : { duration: report.duration }),
    ...(report.crashes === undefined ? {} : { crashes: report.crashes }),
    warnings: report.warnings,
  };
  return withoutPaths(kept) as Decided;
}

/** Returns the rows of the question of a pick, with the figures of each trial that it can rest on. */
export function rowsOfPick(rows: readonly Measurement[], pick: Decided["pick"]): Measurement[] {
  const { benchmark } = questionOfPick(pick);
  return rows.filter((row) => row.benchmark === benchmark && row.placement === pick.placement).map(rowIn);
}

function rowIn(row: Measurement): Measurement {
  const { latencyNs, ...rest } = only(row, ROW) as Partial<MeasuredRow>;
  const latency = latencyNs === undefined ? {} : { latencyNs: only(latencyNs, QUANTILES) };
  return { ...rest, ...latency, trials: row.trials.map(trialIn), warnings: [] } as unknown as Measurement;
}

function trialIn(trial: Trial): Trial {
  const { latencyNs, ...rest } = only(trial, TRIAL) as { latencyNs?: object };
  return { ...rest, ...(latencyNs === undefined ? {} : { latencyNs: only(latencyNs, QUANTILES) }) } as Trial;
}

function only(value: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name)));
}

/** Absolute paths of at least two parts. */
const PATH = /(?<![\w.\\/-])(?:[A-Za-z]:)?(?:[\\/][\w.@+~-]+){2,}/g;

/** Shortens absolute paths in all texts to their last part. Leaves histograms as they are: base64 has slashes too. */
export function withoutPaths(value: unknown): unknown {
  if (typeof value === "string") return value.replace(PATH, (path) => `…/${basename(path.replaceAll("\\", "/"))}`);
  if (Array.isArray(value)) return value.map(withoutPaths);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, name === "histogram" ? part : withoutPaths(part)]),
  );
}

/**
 * Makes the evidence file of a record. Its name is the name of the record and the first digits of the hash. So another
 * record in the folder, or an earlier version of the evidence, has another name.
 *
 * @param record path of the record, which ends in `.md`
 */
export function evidenceFile(record: string, evidence: Decided): EvidenceFile {
  const text = `${JSON.stringify(evidence)}\n`;
  const sha256 = hashOf(text);
  return { name: `${basename(record, ".md")}.${sha256.slice(0, 8)}.evidence.json`, text, sha256 };
}

/** Returns the SHA-256 of a text with Unix line ends, because git may convert line ends in a checkout. */
function hashOf(text: string): string {
  const { createHash } = process.getBuiltinModule("node:crypto");
  return createHash("sha256").update(text.replaceAll("\r\n", "\n")).digest("hex");
}

/** Reads the evidence of a record. @throws StoreError if it is missing, has another hash, or is no valid evidence */
export function loadEvidence(record: string, { name, sha256 }: Omit<EvidenceFile, "text">): Decided {
  const path = join(dirname(record), name);
  const remedy = "restore it from version control, or record the decision again (report --adr)";
  let text: string;
  try {
    text = readTextFile(path);
  } catch (error) {
    throw new StoreError(`cannot read "${path}", the evidence of "${record}": ${reasonOf(error)}; ${remedy}`);
  }
  const found = hashOf(text);
  const value = parsed(text, path, remedy);
  // The formatter of a project changes white space only, and what is written here has none.
  if (found !== sha256 && hashOf(`${JSON.stringify(value)}\n`) !== sha256) {
    const hashes = `its SHA-256 begins with ${found.slice(0, 12)}, that in the record with ${sha256.slice(0, 12)}`;
    throw new StoreError(`"${path}" is not the evidence of "${record}" (${hashes}); ${remedy}`);
  }
  return decidedIn(reportIn(value, path, remedy), path);
}

function parsed(text: string, path: string, remedy: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new StoreError(`"${path}" is not JSON (${reasonOf(error)}); ${remedy}`);
  }
}

/** Returns the report if it has an answer. @throws StoreError if it has none */
export function decidedIn(report: Report, path: string): Decided {
  const { pick, question } = report;
  const lack =
    question === undefined
      ? "it is not a report of compare, or it is from an old version"
      : pick === null
        ? "compare named no pick"
        : pick.verdict === "cannot-tell"
          ? "the run could not tell which mechanism is fastest"
          : undefined;
  if (question === undefined || pick === null || lack !== undefined)
    throw new StoreError(`"${path}" has no decision to record: ${lack}; run compare again, if necessary with --budget`);
  return { ...report, pick, question };
}
