import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { ffiFloor } from "../../transports/posix/index.ts";
import { differingConditions } from "../decision/conditions.ts";
import { changesSince } from "../results/against.ts";
import { describeEnvironment } from "../results/environment.ts";
import { IncompleteError } from "../results/exit-codes.ts";
import { loadReport } from "../results/load-report.ts";
import type { Environment, Report } from "../results/model.ts";
import { StoreError } from "../results/store.ts";
import type { MeasureOptions } from "./options.ts";

/** Report that a run is compared with. */
export interface Earlier {
  readonly name: string;
  readonly report: Report;
  /** Sentence on how its machine differs, where `--force` allows that. */
  readonly machine?: string;
}

/** Returns the report with what changed since the earlier one; the same report without an earlier one. */
export function withChanges(report: Report, earlier: Earlier | undefined): Report {
  if (earlier === undefined) return report;
  return { ...report, against: changesSince(earlier.report, report, earlier.name, earlier.machine) };
}

/**
 * Reads the report of `--against` before the run that may replace it.
 *
 * @throws StoreError where it cannot be read
 * @throws IncompleteError where it is of another machine, unless `--force` is given
 */
export function earlierReport(
  { against, force, out }: Pick<MeasureOptions, "against" | "force" | "out">,
  here: () => Environment = () => describeEnvironment(null, ffiFloor()),
): Earlier | undefined {
  if (against === undefined) return undefined;
  const name = against === "last" ? newestIn(out) : against;
  const report = loadReport(name);
  const differing = differingConditions(report.environment, here());
  if (differing.length === 0) return { name, report };
  const facts = differing.map(({ condition, before, now }) => `${condition} ${before} there, ${now} here`).join("; ");
  if (force === true)
    return { name, report, machine: `The machine differs (${facts}), so a change may be due to the machine.` };
  throw new IncompleteError(
    `"${name}" is of another machine (${facts}), so a change may be due to the machine; ` +
      "name a report of this machine, or give --force to compare nevertheless",
  );
}

/** Returns the newest report of a folder. */
function newestIn(folder: string): string {
  const entries = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
  const names = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".json"))
    .map(({ name }) => join(folder, name));
  const newest = names.toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs).find(isReport);
  if (newest === undefined) throw new StoreError(`there is no report in "${folder}"; run compare once, or name a file`);
  return newest;
}

function isReport(path: string): boolean {
  try {
    loadReport(path);
    return true;
  } catch {
    return false;
  }
}
