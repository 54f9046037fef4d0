import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** Modules that are loaded together. One file of a bundle holds them: reading it is faster than ten small ones. */
export interface Group {
  readonly name: string;
  /** Absolute paths, in the order in which they are imported. */
  readonly modules: ReadonlySet<string>;
  /** Modules outside of the group that load all of it before themselves. */
  readonly users: RegExp;
}

/** Roots of a driver, the program first. */
const DRIVER = [
  "harness/driver/main",
  "harness/driver/measure-windows",
  "harness/driver/models/ping-pong",
  "harness/driver/peers/process-peer",
] as const;
const PEER = ["harness/peer/main", "harness/peer/event-server", "harness/peer/blocking-server"] as const;
/** Two mechanisms: their common modules are also those of most others. */
const MECHANISMS = ["transports/sockets/unix", "transports/pipes/fifo"] as const;

/**
 * Returns the modules that every process loads, and those of each driver and each peer besides.
 *
 * @param path returns the path of a module, from its path below the code without extension
 */
export function groupsOf(path: (module: string) => string): Group[] {
  const of = (roots: readonly string[]): Set<string> => closure(roots.map(path));
  const [driver, peer] = [of(DRIVER), of(PEER)];
  const [one, other] = [of([MECHANISMS[0]]), of([MECHANISMS[1]])];
  // A program waits for its first line at its top level, so it cannot share a file with later imports.
  for (const main of [DRIVER[0], PEER[0]].map(path)) for (const group of [driver, peer]) group.delete(main);
  const shared = new Set([...driver].filter((module) => peer.has(module)));
  for (const module of one) if (other.has(module)) shared.add(module);
  const without = (group: Set<string>): Set<string> => new Set([...group].filter((module) => !shared.has(module)));
  return [
    { name: "shared", modules: shared, users: /./ },
    { name: "driver", modules: without(driver), users: /\/harness\/driver\// },
    { name: "peer", modules: without(peer), users: /\/harness\/peer\// },
  ];
}

/** Returns these modules and all that they import at once. */
function closure(roots: readonly string[]): Set<string> {
  const found = new Set<string>();
  const add = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    const imports = readFileSync(path, "utf8").matchAll(/^(?:import|export) (?!type )[^;]*?from ["](\.[^"]+)["];$/gm);
    for (const [, name = ""] of imports) add(resolve(join(dirname(path), name)));
  };
  for (const root of roots) add(root);
  return found;
}
