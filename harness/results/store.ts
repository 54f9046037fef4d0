import { accessSync, constants, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Report, SCHEMA_VERSION } from "./model.ts";
import { firstDefect } from "./schema.ts";

/** A file that is no report, or a place that cannot be written: says so in one sentence. */
export class StoreError extends Error {
  override readonly name = "StoreError";
}

/** Creates the directory, or says in time, before an hour of measuring, that nothing could be stored there. */
export function ensureWritable(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
  } catch (error) {
    throw new StoreError(`cannot write to --out "${directory}": ${reasonOf(error)}; name a directory you may write to`);
  }
  if (!statSync(directory).isDirectory()) throw new StoreError(`--out "${directory}" is not a directory`);
}

/** Never leaves half a file: written beside its name, then renamed. Returns the path. */
export function store(directory: string, name: string, text: string): string {
  const path = join(directory, name);
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
  return path;
}

/** @throws StoreError when the file is missing, no report, or of a newer schema */
export function loadReport(path: string): Report {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new StoreError(
      `cannot read "${path}": ${reasonOf(error)}; name a report.json that compare, measure or check has written`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new StoreError(`"${path}" is not JSON; name a report.json that compare, measure or check has written`);
  }
  const version =
    typeof value === "object" && value !== null && "schemaVersion" in value ? value.schemaVersion : undefined;
  if (typeof version === "number" && version > SCHEMA_VERSION) {
    throw new StoreError(
      `"${path}" has schema version ${version}, and this ipcmark reads up to ${SCHEMA_VERSION}; update ipcmark to read it`,
    );
  }
  const defect = firstDefect(value);
  if (defect !== undefined) {
    throw new StoreError(
      `"${path}" is no ipcmark report (${defect}); name a report.json that compare, measure or check has written`,
    );
  }
  return value as Report;
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  const words: Record<string, string> = {
    ENOENT: "no such file",
    EACCES: "permission denied",
    EROFS: "read-only file system",
    ENOTDIR: "a part of the path is a file",
    EEXIST: "a file is in the way",
    EISDIR: "it is a directory",
  };
  return words[code ?? ""] ?? (error as Error).message;
}
