import { fileURLToPath } from "node:url";
import { Child } from "../process/child.ts";
import { placementCpus } from "../process/pinning.ts";
import type { Placement } from "../results/model.ts";
import { quantileSorted } from "../results/quantiles.ts";

/** Of one round and placement; null where a process did not answer, which is no reason to stop measuring. */
export interface ControlRun {
  readonly placement: Placement;
  readonly echo: { readonly count: number; readonly p50: number; readonly p99: number; readonly max: number } | null;
  /** Wake-up delays, ns, sorted; the first ones, which find cold code, are left out. */
  readonly delaysNs: Float64Array | null;
}

const ECHO_COUNT = 400;
const ECHO_WARMUP = 150;
/** Six rounds of them have the 2000 that a p99 needs. */
const WAKES = 360;
const COLD_WAKES = 20;
const TIMEOUT_MS = 20_000;

type Answer =
  | {
      readonly type: "control";
      readonly count: number;
      readonly p50: number;
      readonly p99: number;
      readonly max: number;
    }
  | { readonly type: "canary"; readonly count: number; readonly delays: string };

/** Runs the frozen control and the wake-up canary once, placed like the trials of this placement. */
export async function runControls(placement: Placement): Promise<ControlRun> {
  const cpus = placementCpus(placement);
  if ("reason" in cpus) return { placement, echo: null, delaysNs: null };
  const command = (file: string, args: readonly string[], role: string): string[] => [
    ...cpus.driverPin,
    ...script(file),
    ...args,
    "--",
    ...cpus.peerPin,
    ...script(file),
    role,
  ];
  const echo = await run(command("echo", ["client", String(ECHO_COUNT), String(ECHO_WARMUP)], "server"));
  const canary = await run(command("canary", ["waker", String(WAKES)], "sleeper"));
  return {
    placement,
    echo: echo?.type === "control" ? echo : null,
    delaysNs: canary?.type === "canary" ? delaysOf(canary.delays) : null,
  };
}

async function run(command: readonly string[]): Promise<Answer | null> {
  let child: Child<never, Answer>;
  try {
    child = await Child.start<never, Answer>("control", command);
  } catch {
    return null;
  }
  try {
    return await child.next(["control", "canary"], TIMEOUT_MS);
  } catch {
    return null;
  } finally {
    await child.terminate();
  }
}

function script(name: string): string[] {
  return [process.execPath, fileURLToPath(new URL(`../control/${name}.mjs`, import.meta.url))];
}

function delaysOf(encoded: string): Float64Array | null {
  const bytes = Buffer.from(encoded, "base64");
  const delays = new Float64Array(new Uint8Array(bytes).buffer).slice(COLD_WAKES);
  return delays.length === 0 ? null : delays.sort();
}

export function canaryFigures(delaysNs: Float64Array): { p50: number; p99: number; max: number; count: number } {
  return {
    p50: quantileSorted(delaysNs, 0.5),
    p99: quantileSorted(delaysNs, 0.99),
    max: delaysNs.at(-1) as number,
    count: delaysNs.length,
  };
}
