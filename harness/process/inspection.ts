/** Starts a process that imports and probes modules of users, or runs their sweeps, and waits for it with a limit. */

import { constants } from "node:os";
import type { Address, Availability, TransportDescription } from "../../transports/contract/transport.ts";
import { randomBytes } from "../../transports/support/crypto.ts";
import { Child } from "./child.ts";
import type { ControlError } from "./mailbox.ts";
import type { Failed } from "./messages.ts";
import { nodeCommand } from "./node-command.ts";
import { endOrphans, RUN_VARIABLE } from "./orphans.ts";
import { listOf, type Rule, shape, text, variant } from "./rules.ts";
import { availabilityDefect, descriptionDefect } from "./transport-rules.ts";

export interface Inspect {
  readonly type: "inspect";
  readonly module: string;
  /** Ids to inspect; null: all transports that the module exports. */
  readonly ids: readonly string[] | null;
  /** Id of this process: the inspector ends itself when this process is gone. */
  readonly parentPid: number;
}
export interface Sweep {
  readonly type: "sweep";
  readonly module: string;
  readonly addresses: readonly (readonly [id: string, address: Address])[];
  readonly parentPid: number;
}
export type ToInspector = Inspect | Sweep;

/** Exports of a module: those that can be used, and the reasons why the others cannot. */
export interface Imported {
  readonly type: "imported";
  readonly transports: readonly TransportDescription[];
  readonly defects: readonly string[];
}
export interface Probed {
  readonly type: "probed";
  readonly id: string;
  readonly availability: Availability;
}
export interface InspectorDone {
  readonly type: "done";
}
export type FromInspector = Imported | Probed | InspectorDone | Failed;

export interface Inspected {
  readonly transport: TransportDescription;
  readonly availability: Availability;
}

export interface Inspection {
  readonly found: readonly Inspected[];
  /** Reasons why exports of the module cannot be used. */
  readonly defects: readonly string[];
}

export interface InspectionLimits {
  /** Limit of an import, including the start of the process. */
  readonly importMs: number;
  /** Limit of each probe. */
  readonly probeMs: number;
}

/** Default limits, ms. They are generous, because a module is not to blame for a busy machine. */
const LIMITS: InspectionLimits = { importMs: 15_000, probeMs: 10_000 };
const SWEEP_MS = 5000;
/** Maximum number of transports in a module, since each may cost a time limit. */
const MOST_TRANSPORTS = 100;

type Inspector = Child<ToInspector, FromInspector>;

const words = listOf(text);
const answers = variant("type", {
  imported: shape<Imported>({ transports: listOf(descriptionDefect), defects: words }),
  probed: shape<Probed>({ id: text, availability: availabilityDefect }),
  done: shape<InspectorDone>({}),
  failed: shape<Failed>({ code: text, message: text }),
} satisfies Record<FromInspector["type"], Rule>);

/**
 * Imports a module in another process and probes its transports. If a probe hangs, only its own transport fails: a new
 * process continues with the others.
 *
 * @param ids ids to probe; default: all that the module exports
 * @throws Error with the reason why the module was not imported
 */
export async function inspectModule(
  module: string,
  ids?: readonly string[],
  limits: InspectionLimits = LIMITS,
): Promise<Inspection> {
  const found: Inspected[] = [];
  let defects: readonly string[] = [];
  let left = ids;
  for (let visit = 0; visit < MOST_TRANSPORTS && left?.length !== 0; visit++) {
    const { imported, probed } = await look(module, left ?? null, limits);
    if (visit === 0) defects = imported.defects;
    found.push(...probed);
    left = imported.transports.map(({ id }) => id).filter((id) => !found.some(({ transport }) => transport.id === id));
  }
  return { found, defects };
}

interface Look {
  readonly imported: Imported;
  /** Transports probed, up to and including the first one whose probe hung. */
  readonly probed: readonly Inspected[];
}

/** Inspects in one process, which may not survive the first probe. */
function look(module: string, ids: Inspect["ids"], limits: InspectionLimits): Promise<Look> {
  return withInspector(async (inspector) => {
    inspector.send({ type: "inspect", module, ids, parentPid: process.pid });
    const imported = await answerOf(inspector, "imported", limits.importMs, "its import");
    const probed: Inspected[] = [];
    for (const transport of imported.transports.slice(0, MOST_TRANSPORTS)) {
      try {
        const { id, availability } = await answerOf(inspector, "probed", limits.probeMs, "its probe");
        if (id !== transport.id) throw new Error(`its probe did not end: that of ${id} answered`);
        probed.push({ transport, availability });
      } catch (error) {
        probed.push({ transport, availability: { available: false, reason: (error as Error).message } });
        break;
      }
    }
    return { imported, probed };
  });
}

/** Modules whose sweep has hung. A run sweeps many directories, but waits for such a module only once. */
const abandoned = new Set<string>();

/** Runs the sweep of a module on these addresses. Resolves when it has ended, has failed, or the time is over. */
export async function sweepByModule(
  module: string,
  addresses: Sweep["addresses"],
  limitMs: number = SWEEP_MS,
): Promise<void> {
  if (abandoned.has(module)) return;
  try {
    await withInspector(async (inspector) => {
      inspector.send({ type: "sweep", module, addresses, parentPid: process.pid });
      await answerOf(inspector, "done", limitMs, "its sweep");
    });
  } catch {
    abandoned.add(module);
  }
}

/** Works with a new process, which is a run of its own, so that everything the module starts in it can be ended. */
async function withInspector<Result>(work: (inspector: Inspector) => Promise<Result>): Promise<Result> {
  const run = `ipcmark-${randomBytes(8).toString("hex")}`;
  const defectOf = (value: unknown): string | undefined => answers(value, "message");
  const env = { ...process.env, [RUN_VARIABLE]: run };
  const inspector: Inspector = await Child.start("inspecting", nodeCommand("inspect/main"), {
    control: "descriptor",
    defectOf,
    env,
  });
  const end = async (): Promise<void> => {
    await inspector.terminate(0);
    await endOrphans(run);
  };
  const forget = onEarlySignal(end);
  try {
    return await work(inspector);
  } finally {
    forget();
    await end();
  }
}

/** Calls `end` on SIGINT or SIGTERM until a session handles them. @returns function that undoes this */
function onEarlySignal(end: () => Promise<void>): () => void {
  const undo = (["SIGINT", "SIGTERM"] as const).map((signal) => {
    if (process.listenerCount(signal) > 0) return () => undefined;
    const answer = (): void => void end().finally(() => process.exit(128 + constants.signals[signal]));
    process.once(signal, answer);
    return () => void process.off(signal, answer);
  });
  return () => {
    for (const each of undo) each();
  };
}

/** @throws Error with the reason why the module did not answer */
async function answerOf<Type extends FromInspector["type"]>(
  inspector: Inspector,
  type: Type,
  limitMs: number,
  what: string,
): Promise<Extract<FromInspector, { type: Type }>> {
  const message: FromInspector = await inspector
    .next<FromInspector["type"]>([type, "failed"], limitMs)
    .catch((error: ControlError) => {
      const late = `${what} did not end within ${limitMs / 1000} s`;
      throw new Error(error.late ? late : `${what} did not end: ${error.message}`);
    });
  if (message.type === "failed") throw new Error(`${what} failed: ${(message as Failed).message}`);
  return message as Extract<FromInspector, { type: Type }>;
}
