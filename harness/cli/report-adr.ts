import { existsSync } from "node:fs";
import { basename, dirname, isAbsolute, relative, resolve } from "node:path";
import { renderAdr } from "../../reports/adr.ts";
import { decidedIn, evidenceFile, evidenceIn } from "../decision/evidence.ts";
import { note } from "../process/note.ts";
import { UsageError } from "../results/exit-codes.ts";
import type { Report, TransportRecord } from "../results/model.ts";
import { ensureWritable, store } from "../results/store.ts";

/**
 * Writes the pick of a report as a decision record, and its evidence beside it.
 *
 * @param from path of the report, for messages
 * @param record path of the record
 * @throws UsageError for a record that exists already, StoreError for a report without a decision
 */
export function writeRecord(report: Report, from: string, record: string): void {
  if (!record.endsWith(".md")) throw new UsageError(`--adr "${record}": name a file that ends in .md`);
  if (existsSync(record))
    throw new UsageError(`--adr "${record}" exists already and may have been edited; name another file, or remove it`);
  const directory = dirname(record);
  const decided = decidedIn(report, from);
  const modules = new Map(report.transports.flatMap((each) => moduleOf(each, directory)));
  ensureWritable(directory, [], "--adr");
  const evidence = evidenceIn(decided, modules);
  const file = evidenceFile(record, evidence);
  const own = report.transports.find(({ id }) => id === decided.pick.transport);
  const { text, name, sha256 } = file;
  const gated = own?.module ?? decided.pick.transport;
  const adr = renderAdr(evidence, { path: shownPath(record), evidenceName: name, sha256, gated });
  // The evidence is written first, because a record without evidence cannot be rechecked.
  const stored = [store(directory, name, text), store(directory, basename(record), adr)];
  note(`written: ${stored.reverse().join(", ")}`);
}

/** Returns id and path of a module. The path is relative to the folder of the record, so both can be moved together. */
function moduleOf({ id, module }: TransportRecord, directory: string): [string, string][] {
  if (module === undefined) return [];
  if (!existsSync(module))
    throw new UsageError(`"${module}", the module of ${id}, is not here; run report --adr where you ran compare`);
  return [[id, relative(resolve(directory), resolve(module)).replaceAll("\\", "/")]];
}

/** Returns a path that a document may contain: as typed, or relative if it is absolute. */
function shownPath(path: string): string {
  if (!isAbsolute(path)) return path;
  const below = relative(process.cwd(), path);
  return below.startsWith("..") ? basename(path) : below;
}
