/** Files that both sides have loaded: the proof that base and head are what their names promise. */
import { join, relative, sep } from "node:path";
import { importerIn, sourcesOf } from "../../harness/bundle/bundle.ts";
import type { Session } from "../../harness/coordinator/session.ts";
import { type Bundled, listingEnvironment, loadedFiles } from "../../harness/process/loaded-files.ts";
import type { Place } from "../../transports/contract/transport.ts";
import type { Base } from "./base.ts";
import type { LoadedRecord } from "./result.ts";
import type { Sides } from "./run.ts";

type Side = keyof Sides;

/** Returns the sides with processes that list the files they load. */
export function listing({ head, base }: Sides, { place, supervisor: { bundle } }: Session): Sides {
  const bundled = bundle === undefined ? undefined : { directory: bundle.directory, importer: importerIn(bundle) };
  const listed = (side: Side): Record<string, string> => listingOf(side, place, bundled);
  return { head: { ...head, env: listed("head") }, base: { ...base, env: listed("base") } };
}

/** Returns the variables with which the processes of a side list the files they load. */
export function listingOf(side: Side, place: Place, bundled?: Bundled): Record<string, string> {
  return { ...listingEnvironment(listOf(side, place), bundled) };
}

function listOf(side: Side, { directory }: Place): string {
  return join(directory, `loaded-${side}`);
}

/** Returns a sentence about a file of the head that the base's code has loaded; undefined where there is none. */
export function foreignFile(base: Base, place: Place): string | undefined {
  const foreign = loadedFiles(listOf("base", place)).tested.find((path) => ownerOf(path, base) === "head");
  if (foreign === undefined) return undefined;
  return (
    `base: it loaded ${foreign}, a file of the head, so the head would be compared with itself; ` +
    "give the base this file by its install, --base-setup or --base-dir"
  );
}

/** Returns the side whose tree a file lies in, the inner one where one tree lies in the other. */
function ownerOf(path: string, { directory, head }: Base): Side | undefined {
  const isIn = (tree: string): boolean => path.startsWith(tree.endsWith(sep) ? tree : tree + sep);
  const sides: Side[] = directory.length >= head.length ? ["base", "head"] : ["head", "base"];
  return sides.find((side) => isIn(side === "base" ? directory : head));
}

/** Returns what both sides have loaded, relative to their trees. Files of neither keep their path. */
export function loadedRecord(base: Base, { place, supervisor: { bundle } }: Session): LoadedRecord {
  const named = (path: string): string => {
    const owner = ownerOf(path, base);
    return owner === undefined ? path : relative(owner === "base" ? base.directory : base.head, path);
  };
  const [ofBase, ofHead] = [loadedFiles(listOf("base", place)), loadedFiles(listOf("head", place))];
  const harness = [...new Set([...ofBase.harness, ...ofHead.harness])];
  const sorted = (paths: readonly string[]): string[] => paths.map(named).toSorted();
  const modules = bundle === undefined ? harness : sourcesOf(bundle, harness);
  return { base: sorted(ofBase.tested), head: sorted(ofHead.tested), harness: sorted(modules) };
}
