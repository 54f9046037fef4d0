import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { join } from "node:path";
import type { Capabilities } from "../contract/capabilities.ts";
import type { Availability, EventTransport, Transport } from "../contract/transport.ts";
import { distinctName } from "./distinct-name.ts";
import { pathResidue, sweepPath } from "./socket-path.ts";
import { checkSocketPath } from "./socket-path-limit.ts";
import { connectRawSocket } from "./stream-client.ts";

export interface PathTransportOptions {
  readonly id: string;
  /** Beginning of the file name. */
  readonly stem: string;
  readonly capabilities: Capabilities;
  probe(): Promise<Availability>;
  readonly event: EventTransport;
  readonly peers?: NonNullable<Transport["peers"]>;
  readonly clients?: NonNullable<Transport["clients"]>;
}

/** Builds the common parts of all mechanisms with the path of a Unix stream socket as their address. */
export function pathTransport(options: PathTransportOptions): Transport {
  const { id, stem, capabilities, event, peers, clients } = options;
  return {
    id,
    capabilities,
    probe: () => options.probe(),
    async allocate(place) {
      const path = join(place.directory, `${stem}-${distinctName()}.sock`);
      checkSocketPath(path, id);
      return { transport: id, name: path };
    },
    event,
    ...(peers && { peers }),
    ...(clients && { clients }),
    connectRaw: (address) => connectRawSocket(id, { path: address.name }),
    residue: async (address) => pathResidue(address.name),
    sweep: (address) => sweepPath(address.name),
  };
}

/** Returns the installed version of the package of `specifier`, even if it does not export its package.json. */
export function installedVersion(specifier: string, from: string): string {
  const path = findPackageJSON(specifier, from);
  if (path === undefined) throw new Error(`no package.json belongs to ${specifier}`);
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

/** Probes the npm package of a mechanism over Unix sockets, as {@link probeModule} does. */
export async function probePackage(name: string, load: () => Promise<string>): Promise<Availability> {
  if (process.platform === "win32") {
    return { available: false, reason: "Node has no Unix sockets on Windows; use named-pipe or tcp" };
  }
  return probeModule(name, load);
}

/** Probes an npm package on every system: returns its version, or the command that installs it. */
export async function probeModule(name: string, load: () => Promise<string>): Promise<Availability> {
  try {
    return { available: true, version: `${name} ${await load()}` };
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    return { available: false, reason: `${name} does not load (${why}); run: npm install ${name}` };
  }
}
