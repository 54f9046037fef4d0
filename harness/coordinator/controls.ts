import { fileURLToPath } from "node:url";
import { Child, GRACE_MS } from "../process/child.ts";
import { type PlacementCpus, placementCpus } from "../process/pinning.ts";
import type { Placement } from "../results/model.ts";
import { quantileSorted } from "../results/quantiles.ts";

/** Result of one round and placement; null if a process did not answer. The run goes on then. */
export interface ControlRun {
  readonly placement: Placement;
  readonly echo: { readonly count: number; readonly p50: number; readonly p99: number; readonly max: number } | null;
  /** Wake-up delays, ns, sorted; without the first ones, which meet cold code. */
  readonly delaysNs: Float64Array | null;
}

const ECHO_COUNT = 400;
const ECHO_WARMUP = 150;
/** Number of wake-ups per round. Six rounds together have the 2000 that a p99 needs. */
const WAKES = 360;
const COLD_WAKES = 20;
const TIMEOUT_MS = 20_000;

interface EchoAnswer {
  readonly type: "control";
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

interface CanaryAnswer {
  readonly type: "canary";
  readonly count: number;
  readonly delays: string;
}

type Canary = Child<object, CanaryAnswer>;

/**
 * Runs the frozen echo and the canaries, placed like the trials. The echo is started anew each time; the canaries sleep
 * between rounds.
 */
export class Controls {
  readonly #canaries = new Map<Placement, Canary>();

  /** @param withEcho true once per round: the echo shows how fast the machine is, whatever the placement */
  async run(placement: Placement, withEcho: boolean): Promise<ControlRun> {
    const cpus = placementCpus(placement);
    if ("reason" in cpus) return { placement, echo: null, delaysNs: null };
    return { placement, echo: withEcho ? await runEcho(cpus) : null, delaysNs: await this.#wake(placement, cpus) };
  }

  async #wake(placement: Placement, cpus: PlacementCpus): Promise<Float64Array | null> {
    try {
      const canary = this.#canaries.get(placement) ?? (await startCanary(cpus));
      this.#canaries.set(placement, canary);
      canary.send({ type: "wake" });
      return delaysOf((await canary.next(["canary"], TIMEOUT_MS)).delays);
    } catch {
      // The next round tries again, with a new one.
      await this.#canaries.get(placement)?.terminate();
      this.#canaries.delete(placement);
      return null;
    }
  }

  async end(): Promise<void> {
    await Promise.all([...this.#canaries.values()].map((canary) => canary.finish(GRACE_MS)));
  }
}

function startCanary(cpus: PlacementCpus): Promise<Canary> {
  const count = String(WAKES);
  return Child.start("canary", placed(cpus, "canary", ["waker", count], ["sleeper", count]));
}

/** Runs the frozen echo once. @returns the median of its round trips, ns; null if it did not run */
export async function echoP50(placement: Placement): Promise<number | null> {
  const cpus = placementCpus(placement);
  return "reason" in cpus ? null : ((await runEcho(cpus))?.p50 ?? null);
}

async function runEcho(cpus: PlacementCpus): Promise<EchoAnswer | null> {
  const client = ["client", String(ECHO_COUNT), String(ECHO_WARMUP)];
  let child: Child<never, EchoAnswer>;
  try {
    child = await Child.start<never, EchoAnswer>("control", placed(cpus, "echo", client, ["server"]));
  } catch {
    return null;
  }
  try {
    return await child.next(["control"], TIMEOUT_MS);
  } catch {
    return null;
  } finally {
    await child.terminate();
  }
}

/** Returns the command of a script that starts its own other end, each end on its CPU. */
function placed(
  { driverPin, peerPin }: PlacementCpus,
  file: string,
  args: readonly string[],
  otherEnd: readonly string[],
): string[] {
  return [...driverPin, ...script(file), ...args, "--", ...peerPin, ...script(file), ...otherEnd];
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
