import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Transport } from "../../transports/contract/transport.ts";
import { REGISTRY } from "../../transports/registry.ts";
import { loadModule } from "../process/load-transport.ts";
import type { TransportReference } from "../process/messages.ts";
import type { TransportRecord } from "../results/model.ts";
import { UsageError } from "./exit-codes.ts";
import { unknownName } from "./suggest.ts";

/** A transport the user chose, probed. */
export interface Candidate {
  readonly transport: Transport;
  readonly reference: TransportReference;
  readonly family: string;
  readonly shortlist: boolean;
  /** Asked for by name, so its absence is an error of the run and not a row. */
  readonly named: boolean;
  readonly record: TransportRecord;
}

/**
 * Resolves `--transport`: ids, `all`, or paths of modules (they contain a `/` and an extension). Nothing named: the shortlist.
 *
 * @throws UsageError for an unknown id, naming the nearest
 */
export async function resolveTransports(names: readonly string[] | undefined): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  if (names === undefined || names.length === 0) {
    for (const { id } of REGISTRY.filter(({ shortlist }) => shortlist)) candidates.push(await fromRegistry(id, false));
    return candidates;
  }
  for (const name of names) {
    if (name === "all") for (const { id } of REGISTRY) candidates.push(await fromRegistry(id, false));
    else if (/\.[cm]?[jt]s$/.test(name)) candidates.push(...(await fromModule(name)));
    else candidates.push(await fromRegistry(name, true));
  }
  return candidates.filter(
    ({ reference }, index) => candidates.findIndex((other) => same(other.reference, reference)) === index,
  );
}

function same(a: TransportReference, b: TransportReference): boolean {
  return a.id === b.id && a.module === b.module;
}

async function fromRegistry(id: string, named: boolean): Promise<Candidate> {
  const registration = REGISTRY.find((entry) => entry.id === id);
  if (registration === undefined) {
    throw new UsageError(unknownName("transport", id, ["all", ...REGISTRY.map((entry) => entry.id)]));
  }
  const transport = await registration.load();
  const { family, shortlist } = registration;
  return { transport, reference: { id, module: null }, family, shortlist, named, record: await probe(transport) };
}

async function fromModule(path: string): Promise<Candidate[]> {
  const module = resolve(path);
  if (!existsSync(module)) throw new UsageError(`transport module "${path}" does not exist`);
  let transports: readonly Transport[];
  try {
    transports = await loadModule(module);
  } catch (error) {
    throw new UsageError(`transport module "${path}" cannot be used: ${(error as Error).message}`);
  }
  return Promise.all(
    transports.map(async (transport) => ({
      transport,
      reference: { id: transport.id, module },
      family: "module",
      shortlist: false,
      named: true,
      record: await probe(transport),
    })),
  );
}

async function probe(transport: Transport): Promise<TransportRecord> {
  const { id, capabilities } = transport;
  const base = { id, capabilities, baseline: capabilities.rendezvous === "process" };
  try {
    return { ...base, ...(await transport.probe()) };
  } catch (error) {
    // A probe must not throw; a user's transport may all the same.
    return { ...base, available: false, reason: `its probe failed: ${(error as Error).message}` };
  }
}
