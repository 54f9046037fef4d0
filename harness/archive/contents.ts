import { withoutPaths } from "../decision/evidence.ts";
import { kernelVersion, machineSentence, virtualOrNot } from "../results/machine-sentence.ts";
import type { Measurement, Report } from "../results/model.ts";
import { reproduceScript } from "./reproduce.ts";

/** Name of the list of hashes, in the format of `sha256sum`. */
export const SUMS = "SHA256SUMS";
export const REPORT = "report.json";
export const SCRIPT = "reproduce.sh";

const hashOf = (text: string): string =>
  process.getBuiltinModule("node:crypto").createHash("sha256").update(text).digest("hex");

/**
 * Returns the files of a bundle, by name: the report, the order of the trials, each trial, the failures, versions with
 * hashes, a script that repeats the run, and the hashes of all these files. They have only those facts of the machine
 * that a document may name.
 *
 * @param versions versions and hashes of sources and runtime, see `versions.ts`
 */
export function bundleFiles(report: Report, versions: unknown): Map<string, string> {
  const told = portable(report);
  const machine = machineSentence(told.environment);
  const files = new Map([
    [REPORT, `${JSON.stringify(told)}\n`],
    ["order.json", `${JSON.stringify(orderOf(told), null, 1)}\n`],
    [
      "trials.ndjson",
      lines(told.measurements.flatMap((row) => row.trials.map((trial) => ({ ...cellOf(row), ...trial })))),
    ],
    ["failures.ndjson", lines(failuresOf(told))],
    ["versions.json", `${JSON.stringify(versions, null, 1)}\n`],
    [SCRIPT, reproduceScript(told, machine)],
  ]);
  return files.set(SUMS, [...files].map(([name, text]) => `${hashOf(text)}  ${name}\n`).join(""));
}

/** Returns a sentence for each file that is missing, has another hash than in the list, or is not in the list. */
export function wrongFiles(files: ReadonlyMap<string, string>): string[] {
  const sums = files.get(SUMS);
  if (sums === undefined) return [`${SUMS} is missing`];
  const listed = new Map<string, string>();
  const unreadable = sums
    .trimEnd()
    .split("\n")
    .flatMap((line, at) => {
      const [, hash, name] = /^([\da-f]{64}) [ *]([\w.-]+)$/.exec(line) ?? [];
      if (hash === undefined || name === undefined) return [`line ${at + 1} of ${SUMS} is not a hash and a name`];
      listed.set(name, hash);
      return [];
    });
  const changed = [...listed].flatMap(([name, hash]) => {
    const text = files.get(name);
    if (text === undefined) return [`${name} is missing`];
    return hashOf(text) === hash ? [] : [`${name} does not have the hash that ${SUMS} states`];
  });
  const others = [...files.keys()].filter((name) => name !== SUMS && !listed.has(name));
  return [...unreadable, ...changed, ...others.map((name) => `${name} is not in ${SUMS}`)];
}

/** Returns a report without private facts of the machine: absolute paths, vendor's kernel, memory, cgroup, errors. */
function portable(report: Report): Report {
  const { memoryBytes: _memory, allowedCpus: _cpus, cgroup: _group, ...machine } = report.environment;
  return withoutPaths({
    ...report,
    environment: {
      ...machine,
      kernel: kernelVersion(machine.kernel),
      virtualization: virtualOrNot(machine.virtualization),
    },
    checks: report.checks.map(({ error: _error, ...check }) => check),
  }) as Report;
}

const lines = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join("");

function cellOf({ trials: _trials, warnings: _warnings, ...row }: Measurement): object {
  const { benchmark, transport, mode, placement, payloadBytes, inFlight, clients, ratePerSecond, codec, peer } = row;
  return { benchmark, transport, mode, placement, payloadBytes, inFlight, clients, ratePerSecond, codec, peer };
}

function orderOf({ seed, measurements }: Report): object {
  const trials = measurements
    .flatMap((row) =>
      row.trials.map(({ round, startedAtMs, status }) => ({ round, startedAtMs, status, ...cellOf(row) })),
    )
    .toSorted((a, b) => a.startedAtMs - b.startedAtMs);
  return { seed, trials };
}

function failuresOf({ measurements, checks, crashes = [] }: Report): object[] {
  return [
    ...measurements.flatMap((row) =>
      row.status === "measured" ? [] : [{ kind: "cell", ...cellOf(row), status: row.status, reason: row.reason }],
    ),
    ...measurements.flatMap((row) =>
      row.trials.flatMap((trial) => (trial.status === "valid" ? [] : [{ kind: "trial", ...cellOf(row), ...trial }])),
    ),
    ...checks.flatMap((check) => (check.status === "failed" ? [{ ...check, kind: "check" }] : [])),
    ...crashes.map((crash) => ({ kind: "crash", ...crash })),
  ];
}
