import { randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Place } from "../../transports/contract/transport.ts";
import { readJournal } from "./journal.ts";
import { loadTransport } from "./load-transport.ts";
import { MachineError } from "./machine-error.ts";
import { endOrphans } from "./orphans.ts";
import { currentOwner, isAlive, type Owner } from "./owner.ts";
import { placeParent, placeParents } from "./place-parent.ts";

const NAME = /^ipcmark-[0-9a-f]{16}$/;
const OWNER_FILE = "owner.json";
/** A directory younger than this may belong to a run that has not come to write its owner down. */
const STARTING_MS = 60_000;

/**
 * A private directory of this run: 0700, unguessable, with its owner written down so that a later run can tell it is dead.
 *
 * @throws MachineError where none can be made
 */
export function createPlace(parent: string = placeParent()): Place {
  const prefix = `ipcmark-${randomBytes(8).toString("hex")}`;
  const directory = join(parent, prefix);
  try {
    mkdirSync(directory, { mode: 0o700 });
    writeFileSync(join(directory, OWNER_FILE), JSON.stringify(currentOwner()), { mode: 0o600 });
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    const why = (error as Error).message;
    throw new MachineError(
      `no directory for this run can be made in ${parent} (${why}); free space there or set TMPDIR`,
    );
  }
  return { directory, prefix };
}

/** Sweeps every address of the journal and removes the directory. Nothing of this place may be in use. */
export async function removePlace(place: Place): Promise<void> {
  for (const { transport: reference, address } of readJournal(place)) {
    try {
      await (await loadTransport(reference)).sweep(address);
    } catch {
      // A module that is gone, or a mechanism this machine no longer has: the directory is removed all the same.
    }
  }
  for (const directory of programDirectories(place)) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  rmSync(place.directory, { recursive: true, force: true, maxRetries: 3 });
}

/** Beside the run's own directory, for what other users may read: see `program-copy.ts`. Removed with it. */
export function programDirectory({ directory }: Place): string {
  return `${directory}-program`;
}

/** That directory, and those of drivers that were filling one when they were killed. */
function programDirectories(place: Place): string[] {
  const wanted = basename(programDirectory(place));
  const parent = dirname(place.directory);
  return readdirSync(parent)
    .filter((name) => name === wanted || name.startsWith(`${wanted}.`))
    .map((name) => join(parent, name));
}

/** Ends and removes what runs that were killed left behind. Returns how many. Places of living runs are never touched. */
export async function sweepDeadPlaces(parents: readonly string[] = placeParents()): Promise<number> {
  const dead = deadPlaces(parents);
  for (const place of dead) {
    endOrphans(place.prefix);
    await removePlace(place);
  }
  return dead.length;
}

/** What runs that were killed left behind, and nobody has swept yet. */
export function deadPlaces(parents: readonly string[] = placeParents()): Place[] {
  return parents.flatMap((parent) =>
    namesIn(parent)
      .filter((name) => NAME.test(name))
      .map((name): Place => ({ directory: join(parent, name), prefix: name }))
      .filter(isOursAndDead),
  );
}

/** Empty where it may not be read, or is no directory. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function isOursAndDead({ directory }: Place): boolean {
  try {
    const stat = lstatSync(directory);
    if (!stat.isDirectory()) return false;
    if (process.getuid !== undefined && (stat.uid !== process.getuid() || (stat.mode & 0o777) !== 0o700)) return false;
    const owner = ownerOf(directory);
    // Without an owner it is a run that is just starting, or one that was killed while it was.
    return owner === undefined ? Date.now() - stat.mtimeMs > STARTING_MS : !isAlive(owner);
  } catch {
    return false;
  }
}

/** undefined when there is none, or half of one. */
function ownerOf(directory: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, OWNER_FILE), "utf8")) as Owner;
  } catch {
    return undefined;
  }
}
