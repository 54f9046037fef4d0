import { Ajv, type ErrorObject, type SchemaValidateFunction, type ValidateFunction } from "ajv";
import { histogramDefect } from "./histogram.ts";
import type { Report } from "./model.ts";
import { REPORT } from "./report-shape.ts";
import type { Schema } from "./schema-parts.ts";

/** Longest excerpt of a value in a message. */
const EXCERPT = 40;

/** Largest number of pairs: some four times what a check of everything has. */
const MOST_PAIRS = 20_000;

let validateReport: ((value: unknown) => string | undefined) | undefined;

/**
 * Examines every field that a reader of reports relies on. Other fields are accepted, since they may be added
 * without a new version.
 *
 * @returns the first defect: where, what was expected, what was found; undefined when the value is a report
 */
export function firstDefect(value: unknown): string | undefined {
  validateReport ??= defectFinder(REPORT, "the report");
  return validateReport(value) ?? sizeDefect(value as Report);
}

/**
 * Compiles a schema that is made of `schema-parts.ts`.
 *
 * @param whole name of the whole value in a message
 * @returns a function that returns the first defect of a value, or undefined where it has none
 */
export function defectFinder(schema: Schema, whole: string): (value: unknown) => string | undefined {
  const validate = compile(schema);
  return (value) => {
    if (validate(value)) return undefined;
    const [error] = validate.errors ?? [];
    if (error === undefined) return `${whole} is not what it should be`;
    const where = error.instancePath === "" ? whole : error.instancePath;
    if (error.keyword === "required") return `${where}: "${error.params["missingProperty"]}" is missing`;
    return `${where}: expected ${expected(error)}, found ${excerpt(error.params["found"] ?? error.data)}`;
  };
}

/** Limits the matrix of checks, which has a cell for each pair, also for those without a result. */
function sizeDefect({ checks, transports }: Report): string | undefined {
  const columns = new Set(checks.map(({ scenario }) => scenario)).size;
  const rows = new Set([...transports.map(({ id }) => id), ...checks.map(({ transport }) => transport)]).size;
  if (rows * columns <= MOST_PAIRS) return undefined;
  return `/checks: expected at most ${MOST_PAIRS} pairs of a transport and a check, found ${rows} times ${columns}`;
}

function compile(schema: Schema): ValidateFunction {
  const ajv = new Ajv({ verbose: true, strict: false, strictNumbers: true, ownProperties: true });
  ajv.addKeyword({
    keyword: "histogram",
    type: "string",
    error: { message: "must be an HdrHistogram (V2, compressed, base64) of times up to one day" },
    validate: (wanted: boolean, text: string) => !wanted || text === "" || histogramDefect(text) === undefined,
  });
  ajv.addKeyword({ keyword: "ascending", type: ["object", "array"], validate: ascending });
  return ajv.compile(schema);
}

/** Requires that the fields which are there are numbers in ascending order. */
const ascending: SchemaValidateFunction = (
  names: readonly string[],
  data: Readonly<Record<string, unknown>>,
  _schema,
  context,
) => {
  const present = names.flatMap((name) => (typeof data[name] === "number" ? [{ name, value: data[name] }] : []));
  const at = present.findIndex(({ value }, index) => value < (present[index - 1]?.value ?? value));
  const [before, wrong] = [present[at - 1], present[at]];
  if (before === undefined || wrong === undefined) return true;
  const instancePath = `${context?.instancePath ?? ""}/${wrong.name}`;
  const message = `must be >= ${before.value}`;
  ascending.errors = [{ keyword: "ascending", instancePath, message, params: { found: wrong.value } }];
  return false;
};

function expected({ keyword, params, message = "another value" }: ErrorObject): string {
  if (keyword === "enum") return `one of ${(params["allowedValues"] as unknown[]).join(", ")}`;
  if (keyword === "type") return [params["type"]].flat().join(" or ").replaceAll(",", " or ");
  return message.replace(/^must (be|have|match|NOT have) /, (_, verb: string) =>
    verb === "be" ? "" : verb === "NOT have" ? "not " : `to ${verb} `,
  );
}

function excerpt(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "string" && value.length > EXCERPT) return `"${value.slice(0, EXCERPT)}…"`;
  // `JSON.stringify` writes null for an infinite number, such as `1e999`.
  return typeof value === "number" ? String(value) : JSON.stringify(value);
}
