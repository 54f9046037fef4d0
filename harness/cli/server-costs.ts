import type { Arm } from "../coordinator/arm.ts";
import { costMs } from "../coordinator/server-costs.ts";
import type { Pick } from "../results/model.ts";
import type { MeasureOptions } from "./options.ts";

/** Number of shared servers that are started, of all candidates and of those that the user has named. */
const SERVERS = { found: 2, named: 3 } as const;

/** Returns the time to keep for the servers' costs, ms; 0 where the user has set the length of the run. */
export function costsMs(options: MeasureOptions, arms: readonly Arm[]): number {
  const { budget, trials, until, messages, quick, transport } = options;
  const isSet = [budget, trials, until, messages].some((value) => value !== undefined) || quick === true;
  if (isSet || process.platform !== "linux") return 0;
  const shared = arms.find((arm) => !isChild(arm));
  const child = arms.find(isChild);
  const servers = transport === undefined ? SERVERS.found : SERVERS.named;
  return (shared === undefined ? 0 : servers * costMs(shared)) + (child === undefined ? 0 : costMs(child));
}

/**
 * Returns the arms whose servers are started: the pick, the best mechanism of the other kind (a child for each client,
 * or one shared server), the fastest; then, where the user has named the transports, the others by their rank. As many
 * as fit into the time.
 */
export function costlyArms(options: MeasureOptions, found: Pick | null, arms: readonly Arm[]): Arm[] {
  if (found === null) return [];
  const { mode, placement, workload, transport: id } = found;
  const own = arms.filter(
    (arm) =>
      arm.mode === mode &&
      arm.placement === placement &&
      arm.peerLanguage === (workload.peer ?? "node") &&
      arm.clientLanguage === undefined &&
      arm.transport.program === undefined,
  );
  const ranked = found.ranking.flatMap(({ transport }) => own.find((arm) => arm.transport.id === transport) ?? []);
  const pick = ranked.find(({ transport }) => transport.id === id);
  const other = ranked.find((arm) => pick !== undefined && isChild(arm) !== isChild(pick));
  const others = ranked.slice(0, options.transport === undefined ? 1 : ranked.length);
  const order = new Set([pick, other, ...others].filter((arm) => arm !== undefined));
  let leftMs = costsMs(options, arms);
  return [...order].filter((arm) => {
    if (costMs(arm) > leftMs) return false;
    leftMs -= costMs(arm);
    return true;
  });
}

const isChild = ({ transport }: Arm): boolean => transport.capabilities.rendezvous === "parent";
