import { SCHEMA_VERSION, type Warning } from "./model.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Gives a report of schema version 1 the names of version 2: `cBaseline` for `limits` (the cells of plain C) and `duration` for `length`. Any other
 * value is returned unchanged, as is each part that is not what it should be: {@link firstDefect} finds it afterwards.
 */
export function upgraded(value: unknown): unknown {
  if (!isFields(value) || value["schemaVersion"] !== 1) return value;
  const { limits, limitsReason, length, measurements, warnings, ...same } = value;
  return {
    ...same,
    schemaVersion: SCHEMA_VERSION,
    ...(length === undefined ? {} : { duration: length }),
    ...(warnings === undefined ? {} : { warnings: unclassified(warnings) }),
    ...(measurements === undefined ? {} : { measurements: each(measurements, row) }),
    ...(limits === undefined ? {} : { cBaseline: each(limits, inC) }),
    ...(limitsReason === undefined ? {} : { cBaselineReason: renamed(limitsReason, /^no limits/, "no C baseline") }),
  };
}

function row({ limit, warnings, ...same }: Fields): Fields {
  return {
    ...same,
    ...(warnings === undefined ? {} : { warnings: unclassified(warnings) }),
    ...(limit === undefined ? {} : { cBaseline: isFields(limit) ? inC(limit) : limit }),
  };
}

/** Warnings were plain sentences. */
function unclassified(warnings: unknown): unknown {
  const classify = (text: unknown): unknown =>
    typeof text === "string" ? ({ id: "unclassified", text, where: {} } satisfies Warning) : text;
  return Array.isArray(warnings) ? warnings.map(classify) : warnings;
}

function inC(cell: Fields): Fields {
  return {
    ...row(cell),
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
