import { execFileSync } from "node:child_process";
import { keptTrees, listKeptTrees, removeKeptTrees } from "../process/kept-trees.ts";
import { bytes } from "../results/format.ts";
import { ours } from "./commands.ts";
import type { Probe } from "./finding.ts";

const topic = "bases of the gate";
const SIZE_MS = 10_000;

/** Reports the installed trees that `gate --base` keeps, with their size. */
export const keptBases: Probe = () => {
  const directory = keptTrees(false);
  if (typeof directory !== "string") {
    if (directory.fix === undefined) return [{ topic, status: "note", found: `none kept: ${directory.reason}` }];
    const meaning = "gate --base installs its base anew in every run";
    return [{ topic, status: "warning", found: directory.reason, meaning, fix: directory.fix }];
  }
  const trees = listKeptTrees(directory);
  if (trees.length === 0) return [{ topic, status: "ok", found: `none kept in ${directory}` }];
  const found = `${trees.length} kept in ${directory}, ${sizeOf(directory)}`;
  return [{ topic, status: "ok", found, fix: ours("doctor", "--empty-cache") }];
};

/** Counts the blocks on disk, since package managers link files instead of copying them. */
function sizeOf(directory: string): string {
  try {
    const counted = execFileSync("du", ["-sk", directory], { encoding: "utf8", timeout: SIZE_MS });
    return bytes(Number.parseInt(counted, 10) * 1024);
  } catch {
    return "of unknown size";
  }
}

/** Removes the kept trees. @returns a line about them */
export async function emptyCache(): Promise<string[]> {
  const removed = await removeKeptTrees();
  return removed === 0 ? [] : [`removed ${removed} ${removed === 1 ? "base" : "bases"} that the gate had kept`];
}
