import { existsSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { type Base, type BaseReference, inBase } from "../../ci/gate/base.ts";
import { GATED_PLACEMENTS, sizeOf, type TransportCell } from "../../ci/gate/cells.ts";
import type { GateRow, RowOutcome } from "../../ci/gate/result.ts";
import type { Sides } from "../../ci/gate/run.ts";
import type { WaitMode } from "../../transports/contract/capabilities.ts";
import type { TransportDescription } from "../../transports/contract/transport.ts";
import { type Arm, type Cell, placeArm } from "../coordinator/arm.ts";
import { type Inspection, inspectModule } from "../process/inspection.ts";
import type { TransportReference } from "../process/messages.ts";
import { note } from "../process/note.ts";
import type { Placement, Warning } from "../results/model.ts";
import type { Replayed } from "./recorded.ts";
import type { Candidate } from "./transports.ts";

/** Options that choose the cells of a gate. */
export interface SideOptions {
  readonly transport?: readonly string[];
  readonly placement?: readonly Placement[];
  readonly mode?: readonly WaitMode[];
  readonly replayed?: Replayed | undefined;
}

/** Both sides of every declared arm, and the cells that do not have both. */
export interface PairedUp {
  readonly sides: readonly Sides[];
  readonly others: readonly GateRow[];
}

/** Finds both sides of every declared arm; a cell that one side cannot run is a row, never an omission. */
export async function pairUp(
  candidates: readonly Candidate[],
  base: Base,
  options: SideOptions,
  cells: readonly Cell[],
): Promise<PairedUp> {
  const sides: Sides[] = [];
  const others: GateRow[] = [];
  const placements = options.placement ?? GATED_PLACEMENTS;
  const recorded = options.replayed?.place;
  const add = (cell: Omit<TransportCell, "payloadBytes">, outcome: RowOutcome, reason: string): void => {
    for (const each of cells) {
      others.push({ cell: { ...cell, ...sizeOf(each) }, metric: "p50", outcome, reason, notes: [] });
    }
  };
  const { bases, gone } = await inspectBases(candidates, base);
  for (const { transport, reference, record } of candidates) {
    const modes = modesOf(transport, options);
    if (modes.wanted.length > 0 && modes.found.length === 0) {
      const reason = `has no ${modes.wanted.join(" and no ")} face; it has ${transport.capabilities.modes.join(", ")}`;
      if (options.transport === undefined) note(`${transport.id} ${reason}: it is left out`);
      else
        for (const placement of placements)
          add({ transport: transport.id, mode: modes.wanted[0] as WaitMode, placement }, "missing", reason);
    }
    for (const mode of modes.found) {
      for (const placement of placements) {
        const cell = { transport: transport.id, mode, placement };
        if (!record.available) {
          add(cell, "missing", `head: ${record.reason}`);
          continue;
        }
        const head = placeArm({
          transport,
          reference: ofHead(reference),
          version: record.version,
          mode,
          placement,
          peerLanguage: "node",
        });
        const other = bases.get(transport.id) ?? { reason: "it was not looked at" };
        if ("reason" in head) add(cell, "missing", head.reason);
        else if ("isNew" in other) add(cell, "new", "the base has no such transport");
        else if ("reason" in other) add(cell, "missing", `base: ${other.reason}`);
        else {
          const arm = { ...head.arm, ...(recorded === undefined ? {} : { recorded }) };
          sides.push({ head: arm, base: { ...arm, ...other } });
        }
      }
    }
  }
  for (const transport of gone) {
    const { found } = modesOf(transport, options);
    for (const mode of found)
      for (const placement of placements)
        add({ transport: transport.id, mode, placement }, "gone", "the head has no such transport");
  }
  return { sides, others };
}

/** Returns the row of a module of the head that does not load: which cells it has is not known. */
export function refusedRow({ text, where }: Warning): GateRow {
  const cell = { module: where.module ?? "" };
  return { cell, metric: "p50", outcome: "missing", reason: `head: ${text}`, notes: [] };
}

/** Registry of the code that runs. */
const REGISTRY_PATH = fileURLToPath(new URL(`../../transports/registry${extname(import.meta.url)}`, import.meta.url));

/** Makes the head load its transport as the base does, so that the two differ in nothing but their code. */
function ofHead(reference: TransportReference): TransportReference {
  return reference.module === null ? { ...reference, module: REGISTRY_PATH, isRegistry: true } : reference;
}

interface Modes {
  /** Modes that were asked for; empty for the default. */
  readonly wanted: readonly WaitMode[];
  readonly found: readonly WaitMode[];
}

function modesOf({ capabilities: { modes } }: TransportDescription, { mode }: SideOptions): Modes {
  if (mode === undefined) return { wanted: [], found: modes.slice(0, 1) };
  return { wanted: mode, found: modes.filter((each) => mode.includes(each)) };
}

type BaseSide = Pick<Arm, "transport" | "reference"> | { readonly reason: string } | { readonly isNew: true };

interface Bases {
  readonly bases: ReadonlyMap<string, BaseSide>;
  /** Transports of the same modules that the head does not export. */
  readonly gone: readonly TransportDescription[];
}

/** Finds the same ids in the base, whose code runs in separate processes: one for its registry, one for each module. */
async function inspectBases(candidates: readonly Candidate[], base: Base): Promise<Bases> {
  const references = candidates
    .filter(({ record }) => record.available)
    .map(({ reference }) => inBase(reference, base));
  const bases = new Map<string, BaseSide>();
  const gone: TransportDescription[] = [];
  for (const [module, wanted] of Map.groupBy(references, (reference) => reference.module)) {
    const ids = wanted.map(({ id }) => id);
    const isModule = !wanted.some(({ isRegistry }) => isRegistry);
    if (isModule && !existsSync(module)) {
      for (const id of ids) bases.set(id, { isNew: true });
      continue;
    }
    const inspected = await inspectModule(module, isModule ? undefined : ids).catch((error: Error) => ({
      reason: error.message,
    }));
    for (const reference of wanted) bases.set(reference.id, baseSide(reference, inspected));
    if (!("reason" in inspected))
      gone.push(...inspected.found.map(({ transport }) => transport).filter(({ id }) => !ids.includes(id)));
  }
  return { bases, gone };
}

function baseSide(reference: BaseReference, inspected: Inspection | { readonly reason: string }): BaseSide {
  if ("reason" in inspected) return inspected;
  const found = inspected.found.find(({ transport }) => transport.id === reference.id);
  if (found === undefined) {
    // An export that cannot be used may be this one.
    const [defect] = inspected.defects;
    return defect === undefined ? { isNew: true } : { reason: defect };
  }
  const { transport, availability } = found;
  return availability.available ? { transport, reference } : { reason: availability.reason };
}
