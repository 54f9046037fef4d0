import { SCHEMA_VERSION } from "./model.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Gives a report of schema version 1 the names of version 2: `cBaseline` for `limits` (the cells of plain C) and `duration` for `length`. Any other
 * value is returned unchanged, as is each part that is not what it should be: {@link firstDefect} finds it afterwards.
 */
export function upgraded(value: unknown): unknown {
  if (!isFields(value) || value["schemaVersion"] !== 1) return value;
  const { limits, limitsReason, length, measurements, ...same } = value;
  return {
    ...same,
    schemaVersion: SCHEMA_VERSION,
    ...(length === undefined ? {} : { duration: length }),
    ...(measurements === undefined ? {} : { measurements: each(measurements, compared) }),
    ...(limits === undefined ? {} : { cBaseline: each(limits, inC) }),
    ...(limitsReason === undefined ? {} : { cBaselineReason: renamed(limitsReason, /^no limits/, "no C baseline") }),
  };
}

/** Renames the comparison that a row carries. */
function compared({ limit, ...row }: Fields): Fields {
  return limit === undefined ? row : { ...row, cBaseline: isFields(limit) ? inC(limit) : limit };
}

function inC(cell: Fields): Fields {
  return {
    ...cell,
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
