import { type Report, SCHEMA_VERSION } from "./model.ts";
import { parseJson } from "./parse-json.ts";
import { firstDefect } from "./schema.ts";
import { reasonOf, StoreError } from "./store.ts";
import { readTextFile } from "./text-file.ts";
import { upgraded } from "./upgrade.ts";

const EXPECTED = "name a report.json that compare, measure or check has written";

/**
 * Reads a report of this or an older schema, and returns it in this schema.
 *
 * @throws StoreError when the file is missing, no report, or of a newer schema
 */
export function loadReport(path: string): Report {
  return reportIn(loadJson(path, EXPECTED), path, EXPECTED);
}

/**
 * Reads a file that another run has stored.
 *
 * @param expected end of a sentence: what to name instead
 * @throws StoreError when the file is missing or no JSON
 */
export function loadJson(path: string, expected: string): unknown {
  let text: string;
  try {
    text = readTextFile(path);
  } catch (error) {
    throw new StoreError(`cannot read "${path}": ${reasonOf(error)}; ${expected}`);
  }
  try {
    return parseJson(text);
  } catch (error) {
    throw new StoreError(`"${path}" is not JSON (${reasonOf(error)}); ${expected}`);
  }
}

/** Examines a value as {@link loadReport} does. @throws StoreError */
export function reportIn(value: unknown, path: string, expected: string): Report {
  const version =
    typeof value === "object" && value !== null && "schemaVersion" in value ? value.schemaVersion : undefined;
  if (typeof version === "number" && version > SCHEMA_VERSION) {
    throw new StoreError(
      `"${path}" has schema version ${version}, and this ipcmark reads up to ${SCHEMA_VERSION}; ` +
        "update ipcmark to read it",
    );
  }
  const current = upgraded(value);
  const defect = firstDefect(current);
  if (defect !== undefined) throw new StoreError(`"${path}" is no ipcmark report (${defect}); ${expected}`);
  return current as Report;
}
