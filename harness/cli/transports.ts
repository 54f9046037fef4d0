import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import type { Availability, Transport, TransportDescription } from "../../transports/contract/transport.ts";
import { REGISTRY, type Registration } from "../../transports/registry.ts";
import { type InspectionLimits, inspectModule } from "../process/inspection.ts";
import type { TransportReference } from "../process/messages.ts";
import { noteWarning } from "../process/note.ts";
import { shown } from "../process/rules.ts";
import { describeTransport } from "../process/transport-rules.ts";
import { UsageError } from "../results/exit-codes.ts";
import type { TransportRecord, Warning } from "../results/model.ts";
import { withAbsentPackages } from "./absent-packages.ts";
import { withRemedy } from "./import-remedy.ts";
import { unknownName } from "./suggest.ts";

/** Transport that the user chose, probed. None of its code runs here: that is for drivers and peers. */
export interface Candidate {
  readonly transport: TransportDescription;
  readonly reference: TransportReference;
  readonly family: string;
  readonly shortlist: boolean;
  /** `true` when it was named: then its absence is an error of the run and not a row. */
  readonly named: boolean;
  readonly record: TransportRecord;
}

/** Transports that `--transport` names. */
export interface Chosen {
  readonly candidates: readonly Candidate[];
  /** Warnings on modules and transports of modules that cannot be used. The rest still runs; the run is incomplete. */
  readonly refused: readonly Warning[];
}

/**
 * Resolves `--transport`: ids, `all`, or paths of modules (they end in .js, .ts or the like). The default is the
 * shortlist. Refused modules are named on stderr.
 *
 * @param mayBeNone true where the caller lists refused modules itself, also when nothing else is named
 * @throws UsageError for an unknown id, naming the nearest; for modules when nothing else is named
 */
export async function resolveTransports(
  names: readonly string[] | undefined,
  limits?: InspectionLimits,
  mayBeNone = false,
): Promise<Chosen> {
  if (names === undefined || names.length === 0) {
    const shortlist = REGISTRY.filter((entry) => entry.shortlist);
    return { candidates: await fromRegistry(shortlist, false), refused: [] };
  }
  for (const name of names) refuseUnknown(name);
  // A module may take long to load, so all of them are inspected side by side.
  const modules = new Map<string, Promise<Chosen>>();
  for (const path of names.filter(isModule)) {
    const module = resolve(path);
    if (!modules.has(module)) modules.set(module, fromModule(path, module, limits));
  }
  const parts: Chosen[] = [];
  for (const name of names) {
    const entries = REGISTRY.filter(({ id }) => name === "all" || name === id);
    const fromItsModule = modules.get(resolve(name));
    parts.push((await fromItsModule) ?? { candidates: await fromRegistry(entries, name !== "all"), refused: [] });
  }
  return withoutDuplicates(parts, mayBeNone);
}

/** Resolves like {@link resolveTransports}, without a mechanism that equals another one here, unless it is named. */
export async function resolveForTimes(names: readonly string[] | undefined, mayBeNone = false): Promise<Chosen> {
  const { candidates, refused } = await resolveTransports(names, undefined, mayBeNone);
  const originals = candidates.map(({ record }) => record.sameAs);
  return { candidates: candidates.filter(({ record, named }) => named || !originals.includes(record.id)), refused };
}

function isModule(name: string): boolean {
  return /\.[cm]?[jt]s$/.test(name);
}

function refuseUnknown(name: string): void {
  if (isModule(name)) {
    if (!existsSync(name)) throw new UsageError(`transport module "${name}" does not exist`);
  } else if (/^[./~]|\\/.test(name)) {
    throw new UsageError(`"${name}" is no transport module: its file must end in .ts, .mts, .js or .mjs`);
  } else if (name !== "all" && !REGISTRY.some(({ id }) => id === name)) {
    const unknown = unknownName("transport", name, ["all", ...REGISTRY.map(({ id }) => id)]);
    throw new UsageError(`${unknown}; one of your own is named by its file, such as ./my-transport.ts`);
  }
}

/** Removes transports with the id of an earlier one. @throws UsageError when nothing is left, unless `mayBeNone` */
function withoutDuplicates(parts: readonly Chosen[], mayBeNone: boolean): Chosen {
  const candidates = new Map<string, Candidate>();
  const refused = new Map<string, Warning>();
  for (const part of parts) {
    for (const warning of part.refused) refused.set(warning.text, warning);
    for (const candidate of part.candidates) {
      const { id, module } = candidate.reference;
      const first = candidates.get(id);
      if (first === undefined) candidates.set(id, candidate);
      else if (first.reference.module !== module) {
        const warning = cannotBeUsed(module ?? "", taken(id, first));
        refused.set(warning.text, warning);
      }
    }
  }
  const warnings = [...refused.values()];
  const last = candidates.size === 0 && !mayBeNone ? warnings.pop() : undefined;
  for (const { text } of warnings) noteWarning(text);
  if (last !== undefined) throw new UsageError(last.text);
  return { candidates: [...candidates.values()], refused: warnings };
}

function taken(id: string, { reference }: Pick<Candidate, "reference">): string {
  const owner = reference.module === null ? "a transport of ipcmark" : `a transport of ${reference.module}`;
  return `its id ${shown(id)} is that of ${owner}; choose another`;
}

function cannotBeUsed(path: string, why: string): Warning {
  return {
    id: "module-refused",
    text: `transport module "${path}" cannot be used: ${withRemedy(why, path)}`,
    where: { module: path },
  };
}

/** Loads and probes these transports. */
export async function fromRegistry(entries: readonly Registration[], named: boolean): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  for (const { load, family, shortlist } of entries) {
    const transport = await load();
    const description = describeTransport(transport);
    const availability = withAbsentPackages(description, await probe(transport));
    candidates.push(candidateOf(description, null, availability, { family, shortlist, named }));
  }
  return candidates;
}

async function fromModule(path: string, module: string, limits: InspectionLimits | undefined): Promise<Chosen> {
  try {
    const { found, defects } = await inspectModule(module, undefined, limits);
    const isTaken = (id: string): boolean => REGISTRY.some((entry) => entry.id === id);
    const chosen = found.filter(({ transport }) => !isTaken(transport.id));
    const candidates = chosen.map(({ transport, availability: here }) => {
      const availability = here.available ? here : { ...here, reason: `${here.reason} (module "${path}")` };
      return candidateOf(transport, module, availability, { family: "module", shortlist: false, named: true });
    });
    const taking = found.flatMap(({ transport: { id } }) =>
      isTaken(id) ? [taken(id, { reference: { id, module: null } })] : [],
    );
    return { candidates, refused: [...defects, ...taking].map((why) => cannotBeUsed(path, why)) };
  } catch (error) {
    return { candidates: [], refused: [cannotBeUsed(path, (error as Error).message)] };
  }
}

function candidateOf(
  transport: TransportDescription,
  module: string | null,
  availability: Availability,
  rest: Pick<Candidate, "family" | "shortlist" | "named">,
): Candidate {
  const { id, capabilities, sameAs } = transport;
  // In a module, `sameAs` would be a claim about the transport of somebody else.
  const twin = module === null && sameAs !== undefined ? { sameAs } : {};
  const origin = module === null ? {} : { module: relative(process.cwd(), module) };
  const record = {
    id,
    capabilities,
    ...twin,
    ...origin,
    baseline: capabilities.rendezvous === "process",
    ...availability,
  };
  return { transport, reference: { id, module }, ...rest, record };
}

async function probe(transport: Transport): Promise<Availability> {
  try {
    return await transport.probe();
  } catch (error) {
    return { available: false, reason: `its probe failed: ${(error as Error).message}` };
  }
}
