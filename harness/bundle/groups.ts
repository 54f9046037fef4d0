import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** Modules that are loaded together, so that they are one file of the bundle: reading ten small ones takes longer than reading one large one. */
export interface Group {
  readonly name: string;
  /** Absolute paths, in the order in which they are imported. */
  readonly modules: ReadonlySet<string>;
  /** Those that load the whole group before themselves, among those outside of it. */
  readonly users: RegExp;
}

/** The program first. */
const DRIVER = [
  "harness/driver/main",
  "harness/driver/measure-windows",
  "harness/driver/models/ping-pong",
  "harness/driver/peers/process-peer",
] as const;
const PEER = ["harness/peer/main", "harness/peer/event-server", "harness/peer/blocking-server"] as const;
/** Two mechanisms: what both of them use, most others use too. */
const MECHANISMS = ["transports/sockets/unix", "transports/pipes/fifo"] as const;

/**
 * Returns what every process loads, and what each driver and each peer does besides.
 *
 * @param path of a module, from its path below the code without extension
 */
export function groupsOf(path: (module: string) => string): Group[] {
  const of = (roots: readonly string[]): Set<string> => closure(roots.map(path));
  const [driver, peer] = [of(DRIVER), of(PEER)];
  const [one, other] = [of([MECHANISMS[0]]), of([MECHANISMS[1]])];
  // A program waits for its first line where it stands, so it cannot be one file with what it loads then.
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

/** These modules and all that they import at once. */
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
