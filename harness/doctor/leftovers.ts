import {
  closeSync,
  existsSync,
  constants as fs,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  unlinkSync,
} from "node:fs";
import { basename, join } from "node:path";
import { isOwned, posixAvailability } from "../../transports/posix/index.ts";
import { processesByRun } from "../process/orphans.ts";
import { deadPlaces, isRunning, sweepDeadPlaces } from "../process/place.ts";
import { placeParents } from "../process/place-parent.ts";
import { ours } from "./commands.ts";
import type { Finding, Probe } from "./finding.ts";
import { readText } from "./read.ts";

/** Names of kernel objects of a run, which bear its prefix; nobody else's names look like this. */
const OURS = /^(?:sem\.)?(ipcmark-[0-9a-f]{16})/;
const KERNEL_DIRECTORIES = ["/dev/shm", "/dev/mqueue"] as const;
/** Age below which an object is kept, ms: a run that is starting has created and not yet mapped it. */
const YOUNG_MS = 60_000;

export const leftovers: Probe = async () => {
  const topic = "leftovers";
  const places = await deadPlaces();
  const objects = orphanedObjects();
  const found = [
    ...(places.length > 0
      ? [`${counted(places.length, "directory", "directories")} of killed runs in ${placeParents().join(" and ")}`]
      : []),
    ...(objects.length > 0
      ? [`${counted(objects.length, "kernel object", "kernel objects")} nobody uses: ${objects.slice(0, 3).join(", ")}`]
      : []),
  ];
  if (found.length === 0) return [{ topic, status: "ok", found: "none" }];
  const meaning =
    "stale paths make a restart fail with EADDRINUSE or FileExistsError; segments use memory, queues count to a limit";
  return [{ topic, status: "warning", found: found.join("; "), meaning, fix: ours("doctor", "--fix") }];
};

/** Removes what {@link leftovers} found. @returns one line per kind of object removed */
export async function removeLeftovers(): Promise<string[]> {
  const done: string[] = [];
  const places = await sweepDeadPlaces();
  if (places > 0)
    done.push(`removed ${counted(places, "directory", "directories")} of killed runs, and swept their addresses`);
  const objects = orphanedObjects();
  for (const path of objects) {
    try {
      unlinkSync(path);
      done.push(`removed ${path}`);
    } catch (error) {
      done.push(`could not remove ${path}: ${(error as Error).message}`);
    }
  }
  return done;
}

/**
 * Returns objects of this user whose names have our pattern, and which have no living run or owner and are open in no
 * visible process.
 */
function orphanedObjects(): string[] {
  const found: string[] = [];
  const living = new Set<string>();
  const parents = placeParents();
  for (const directory of KERNEL_DIRECTORIES) {
    for (const name of list(directory)) {
      const prefix = OURS.exec(name)?.[1];
      const path = join(directory, name);
      if (prefix === undefined || parents.some((parent) => existsSync(join(parent, prefix)))) continue;
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (!stat?.isFile() || stat.uid !== process.getuid?.()) continue;
      if (hasOwner(path)) living.add(prefix);
      if (Date.now() - stat.mtimeMs > YOUNG_MS) found.push(path);
    }
  }
  return found.filter((path) => !living.has(OURS.exec(basename(path))?.[1] ?? "") && !inUse(path));
}

/** True where a server holds its lock. The lock is visible in every namespace that shares the object, unlike /proc. */
function hasOwner(path: string): boolean {
  if (!posixAvailability().available) return false;
  let fd: number | undefined;
  try {
    fd = openSync(path, fs.O_RDONLY | fs.O_NONBLOCK | fs.O_NOFOLLOW);
    return isOwned(fd);
  } catch {
    // Gone meanwhile, or of a kind that cannot be examined.
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function inUse(path: string): boolean {
  return processIds().some((pid) => {
    try {
      if (readFileSync(`/proc/${pid}/maps`, "utf8").includes(path)) return true;
      const name = path.replace(/^\/dev\/mqueue/, "");
      return list(`/proc/${pid}/fd`).some((fd) => {
        const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
        return target === path || target === name;
      });
    } catch {
      // Another user's, or gone meanwhile.
      return false;
    }
  });
}

/** Finds processes of earlier runs of this user: two more rows of the troubleshooting table. */
export const strayProcesses: Probe = async () => {
  const topic = "processes";
  const strays: number[] = [];
  for (const [run, pids] of processesByRun()) {
    // In a container the coordinator itself may adopt orphans.
    if (!(await isRunning(run))) strays.push(...pids.filter((pid) => parentOf(pid) === 1));
  }
  if (strays.length === 0) return [{ topic, status: "ok", found: "no peer or driver without a parent" }];
  return strays.map((pid): Finding => {
    const state = /^State:\s*(\S)/m.exec(readText(`/proc/${pid}/status`) ?? "")?.[1] ?? "?";
    const meaning: Record<string, string> = {
      R: "it uses a whole CPU: it spins, and its other end is gone",
      S: "it hangs on receive: its other end is gone and it got no notice",
      T: "it is stopped: its run stopped it, and was killed before it could continue it",
    };
    const found = `process ${pid} of an earlier run lives (state ${state})`;
    return {
      topic,
      status: "warning",
      found,
      meaning: meaning[state] ?? "it outlived its run",
      fix: `kill -KILL ${pid}`,
    };
  });
};

function counted(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`;
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)/m.exec(readText(`/proc/${pid}/status`) ?? "")?.[1] ?? -1);
}

function processIds(): string[] {
  return list("/proc").filter((name) => /^\d+$/.test(name));
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
