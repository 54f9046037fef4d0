import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Availability, TransportDescription } from "../../transports/contract/transport.ts";
import { optionalPackages } from "../results/environment.ts";

let absent: readonly string[] | undefined;

/** Returns the optional packages of ipcmark that are not installed, as `npm install --omit=optional` leaves it. */
export function absentPackages(): readonly string[] {
  const folders = createRequire(import.meta.url).resolve.paths("ipcmark") ?? [];
  absent ??= optionalPackages().filter((name) => !folders.some((folder) => existsSync(join(folder, name))));
  return absent;
}

/** Returns one and the same reason for all mechanisms that lack an optional package, so that it is printed once. */
export function withAbsentPackages(
  { capabilities }: TransportDescription,
  here: Availability,
  missing: readonly string[] = absentPackages(),
): Availability {
  if (here.available || !capabilities.packages?.some((name) => missing.includes(name))) return here;
  const which = missing.length === 1 ? "an optional package is" : "optional packages are";
  return { ...here, reason: `${which} not installed (${missing.join(", ")}): run npm install --include=optional` };
}
