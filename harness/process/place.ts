/** Private directory of a run, for its sockets, FIFOs and files. */
import { lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { Server } from "node:net";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Address, Place } from "../../transports/contract/transport.ts";
import { randomBytes } from "../../transports/support/crypto.ts";
import { sweepByModule } from "./inspection.ts";
import { readJournal } from "./journal.ts";
import { removeUnkeptTree } from "./kept-trees.ts";
import { loadTransport } from "./load-transport.ts";
import { MachineError } from "./machine-error.ts";
import { endOrphans } from "./orphans.ts";
import { holdDirectory, holdingOf, OWNER_SOCKET } from "./owner.ts";
import { placeParent, placeParents } from "./place-parent.ts";
import { forgetWorktree } from "./worktree.ts";

const NAME = /^ipcmark-[0-9a-f]{16}$/;
/** Age up to which an unmarked directory may belong to a run that is still starting, ms. */
const STARTING_MS = 60_000;
/** Sockets that mark the places of this process as in use. */
const marks = new WeakMap<Place, Server>();

/**
 * Creates a private directory of this run: 0700, unguessable, and marked as in use while this process lives.
 *
 * @throws MachineError if none can be made
 */
export async function createPlace(parent: string = placeParent()): Promise<Place> {
  const prefix = `ipcmark-${randomBytes(8).toString("hex")}`;
  const place: Place = { directory: join(parent, prefix), prefix };
  try {
    mkdirSync(place.directory, { mode: 0o700 });
    marks.set(place, await holdDirectory(place.directory));
  } catch (error) {
    rmSync(place.directory, { recursive: true, force: true });
    const why = (error as Error).message;
    throw new MachineError(
      `no directory for this run can be made in ${parent} (${why}); free space there or set TMPDIR`,
    );
  }
  return place;
}

/**
 * Ends the processes of this place, sweeps every address in its journal and removes the directory. Does not block, so
 * that signals can be handled meanwhile.
 *
 * @param sweepMs limit for each module of a user; default as in `inspection.ts`
 */
export async function removePlace(place: Place, sweepMs?: number): Promise<void> {
  await endOrphans(place.prefix);
  await sweepJournal(place, sweepMs);
  await forgetWorktree(place);
  await removeUnkeptTree(place);
  // The mark is removed last: if this process is killed before, the next run still recognizes the directory as dead.
  for (const name of namesIn(place.directory).filter((name) => name !== OWNER_SOCKET)) {
    await rm(join(place.directory, name), REMOVAL);
  }
  await rm(place.directory, REMOVAL);
  marks.get(place)?.close();
}

/** Sweeps addresses of the registry's transports here, and those of users' modules in a process of their own. */
async function sweepJournal(place: Place, sweepMs: number | undefined): Promise<void> {
  const ofModules = new Map<string, [string, Address][]>();
  for (const { transport: reference, address } of readJournal(place)) {
    if (reference.module !== null) {
      const left = ofModules.get(reference.module) ?? [];
      left.push([reference.id, address]);
      ofModules.set(reference.module, left);
      continue;
    }
    // Most sweeps do not wait, so this lets signals be handled between them.
    await setImmediate();
    try {
      await (await loadTransport(reference)).sweep(address);
    } catch {
      // This machine no longer has the mechanism; the directory is removed all the same.
    }
  }
  await Promise.all([...ofModules].map(([module, addresses]) => sweepByModule(module, addresses, sweepMs)));
}

const REMOVAL = { recursive: true, force: true, maxRetries: 3 } as const;

/** Returns the names in a directory; none if it may not be read, or if another run has just removed it. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Ends and removes the remains of killed runs, and does not touch places of living runs. Returns their number. */
export async function sweepDeadPlaces(parents: readonly string[] = placeParents()): Promise<number> {
  const dead = await deadPlaces(parents);
  for (const place of dead) await removePlace(place);
  return dead.length;
}

/** Returns the places of killed runs, which are not swept yet. */
export async function deadPlaces(parents: readonly string[] = placeParents()): Promise<Place[]> {
  const dead: Place[] = [];
  for (const parent of parents) {
    for (const name of namesIn(parent).filter((name) => NAME.test(name))) {
      const place: Place = { directory: join(parent, name), prefix: name };
      if (await isOursAndDead(place)) dead.push(place);
    }
  }
  return dead;
}

/** Returns true if the owner of a run's directory lives; looks in every parent where the directory can be. */
export async function isRunning(prefix: string): Promise<boolean> {
  if (!NAME.test(prefix)) return false;
  const all = placeParents().map((parent) => holdingOf(join(parent, prefix)));
  return (await Promise.all(all)).includes("held");
}

async function isOursAndDead({ directory }: Place): Promise<boolean> {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return false;
  if (process.getuid !== undefined && (stat.uid !== process.getuid() || (stat.mode & 0o777) !== 0o700)) return false;
  const holding = await holdingOf(directory);
  // Without a mark, the run is just starting, or was killed while it was starting.
  return holding === "unmarked" ? Date.now() - stat.mtimeMs > STARTING_MS : holding === "dead";
}
