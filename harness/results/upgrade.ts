import { SCHEMA_VERSION, type Warning } from "./model.ts";

const NO_REASON = "no reason recorded";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Gives a report of schema version 1 the names and shapes of version 2: `cBaseline` for `limits` (the cells of plain
 * C), `duration` for `length`, warnings with an id, rows and trials that have what their status promises. Any other
 * value is returned unchanged, as is each part with a defect: {@link firstDefect} finds it afterwards.
 */
export function upgraded(value: unknown): unknown {
  if (!isFields(value) || value["schemaVersion"] !== 1) return value;
  const { limits, limitsReason, length, measurements, warnings = [], ...same } = value;
  return {
    ...same,
    schemaVersion: SCHEMA_VERSION,
    ...(length === undefined ? {} : { duration: length }),
    warnings: unclassified(warnings),
    ...(measurements === undefined ? {} : { measurements: each(measurements, row) }),
    ...(limits === undefined ? {} : { cBaseline: each(limits, inC) }),
    ...(limitsReason === undefined ? {} : { cBaselineReason: noCBaseline(limitsReason) }),
  };
}

function row({ limit, warnings = [], trials = [], ...same }: Fields): Fields {
  return {
    ...(same["status"] === "measured" ? { interval: {} } : { reason: NO_REASON }),
    ...same,
    trials: each(trials, trial),
    warnings: unclassified(warnings),
    ...(limit === undefined ? {} : { cBaseline: isFields(limit) ? { ...limit, ...namesInC(limit) } : limit }),
  };
}

/** Upgrades a trial: figures of an invalid one stood beside its reason, and a refused one was invalid with a mark. */
function trial({ round, startedAtMs, status, reason, refused, ...figures }: Fields): Fields {
  const base = { round, startedAtMs, status };
  if (status !== "invalid") return { ...base, ...figures };
  return {
    ...base,
    ...(refused === true ? { status: "refused" } : {}),
    reason: reason ?? NO_REASON,
    evidence: figures,
  };
}

/** Upgrades the reason for no C baseline. Only that of a missing compiler began with the former name. */
function noCBaseline(reason: unknown): unknown {
  if (typeof reason !== "string") return reason;
  const rest = reason.replace(/^no limits: /, "");
  return { status: rest === reason ? "not-applicable" : "unavailable", reason: rest };
}

/** Upgrades warnings, which were plain sentences. */
function unclassified(warnings: unknown): unknown {
  const classify = (text: unknown): unknown =>
    typeof text === "string" ? ({ id: "unclassified", text, where: {} } satisfies Warning) : text;
  return Array.isArray(warnings) ? warnings.map(classify) : warnings;
}

function inC(cell: Fields): Fields {
  return { ...row(cell), ...namesInC(cell) };
}

function namesInC(cell: Fields): Fields {
  return {
    ...("transport" in cell ? { transport: renamed(cell["transport"], /^limit\//, "c/") } : {}),
    ...("benchmark" in cell ? { benchmark: renamed(cell["benchmark"], /^limit$/, "c-baseline") } : {}),
  };
}

function renamed(text: unknown, old: RegExp, name: string): unknown {
  return typeof text === "string" ? text.replace(old, name) : text;
}

function each(list: unknown, change: (fields: Fields) => Fields): unknown {
  return Array.isArray(list) ? list.map((item) => (isFields(item) ? change(item) : item)) : list;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
