import { evidenceOf } from "../results/evidence.ts";
import { kernelVersion } from "../results/machine-sentence.ts";
import type { CheckResult, Environment, Report } from "../results/model.ts";

/** Returns the SHA-256 of a text. It avoids an import, which would delay the start of a process by 50 ms. */
const sha256 = (text: string): string =>
  process.getBuiltinModule("node:crypto").createHash("sha256").update(text).digest("hex");

/** Facts of a machine on which figures depend, and which a record may name. */
export interface Conditions {
  readonly cpu: string;
  readonly cpus: number;
  readonly virtual: boolean;
  readonly platform: string;
  readonly kernel: string;
  readonly node: string;
}

/** Returns the conditions that an environment has. */
export function conditionsOf(environment: Environment): Conditions {
  const { cpuModel, cpus, virtualization, platform, arch, kernel, node } = environment;
  return {
    cpu: `${cpuModel} (${arch})`,
    cpus,
    virtual: virtualization !== null && virtualization !== "none",
    platform,
    kernel: kernelVersion(kernel),
    node,
  };
}

/** Returns a hash of the conditions: 16 hexadecimal digits. */
export function fingerprintOf(environment: Environment): string {
  return sha256(JSON.stringify(conditionsOf(environment))).slice(0, 16);
}

const NAMES: Readonly<Record<keyof Conditions, string>> = {
  cpu: "CPU",
  cpus: "number of CPUs",
  virtual: "virtual machine",
  platform: "platform",
  kernel: "kernel",
  node: "Node",
};

/** Condition that differs between two machines, or on one machine at two times. */
export interface Differing {
  readonly condition: string;
  readonly before: string;
  readonly now: string;
}

/** Returns the conditions that differ between two environments. */
export function differingConditions(earlier: Environment, later: Environment): Differing[] {
  const [before, now] = [conditionsOf(earlier), conditionsOf(later)];
  const names = (Object.keys(NAMES) as (keyof Conditions)[]).filter((name) => before[name] !== now[name]);
  return names.map((name) => ({ condition: NAMES[name], before: wordOf(before[name]), now: wordOf(now[name]) }));
}

/**
 * Returns each changed condition as a phrase: `Node 26.10.0 in the record, 24.3.0 here`. Facts of the machine come
 * first, then the changes of each of these transports.
 */
export function changedConditions(record: Report, here: Report, transports: readonly string[]): string[] {
  const facts = differingConditions(record.environment, here.environment).map(
    ({ condition, before, now }) => `${condition} ${before} in the record, ${now} here`,
  );
  return [...facts, ...transports.flatMap((transport) => changesOf(transport, record, here))];
}

const wordOf = (value: string | number | boolean): string =>
  typeof value === "boolean" ? (value ? "yes" : "no") : String(value);

/** Returns the changes of one transport: it cannot run here, does not meet a need, or has another result of a check. */
function changesOf(transport: string, record: Report, here: Report): string[] {
  const found = here.transports.find(({ id }) => id === transport);
  if (found?.available === false) return [`${transport} cannot run here: ${found.reason}`];
  const standing = here.candidates?.find((each) => each.transport === transport);
  if (standing?.status === "excluded" && found === undefined)
    return [`${transport} does not meet the need ${standing.need}: ${standing.reason}`];
  const [before, now] = [evidenceOf(record), evidenceOf(here)];
  const ids = new Set(record.checks.filter((each) => each.transport === transport).map(({ scenario }) => scenario));
  const changed = [...ids].flatMap((check): string[] => {
    const [was, is] = [before.verdict(transport, check), now.verdict(transport, check)];
    const isLost = is.status === "not-examined" && record.question?.checks.includes(check) === true;
    if (was.status === is.status || (is.status === "not-examined" && !isLost)) return [];
    const reason = "reason" in is ? ` (${is.reason})` : "";
    return [`check ${check} of ${transport} ${WORDS[was.status]} in the record, ${WORDS[is.status]} here${reason}`];
  });
  return changed.length > MOST_CHECKS
    ? [...changed.slice(0, MOST_CHECKS), `${changed.length - MOST_CHECKS} more checks of ${transport}`]
    : changed;
}

const MOST_CHECKS = 3;
const WORDS: Readonly<Record<CheckResult["status"], string>> = {
  passed: "passed",
  failed: "failed",
  unavailable: "unavailable",
  "not-applicable": "not applicable",
  "not-examined": "not examined",
};
