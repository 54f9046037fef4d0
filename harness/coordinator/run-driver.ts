import { Child, killGroup } from "../process/child.ts";
import type { DriverReady, DriverStart, Failed, FromDriver, PinPrefix } from "../process/messages.ts";
import { nodeCommand } from "../process/node-command.ts";

/** What one driver process is started with, and how long it may take in all. */
export interface DriverJob {
  readonly start: DriverStart;
  readonly pin: PinPrefix;
  readonly timeoutMs: number;
  /** A driver that says nothing for so long hangs; default: the whole time. */
  readonly silenceMs?: number;
  readonly onResult: (message: Extract<FromDriver, { type: "cell" | "check" | "codecs" }>) => void;
}

export type DriverOutcome =
  | { readonly status: "done"; readonly ready: DriverReady | null }
  | { readonly status: "failed"; readonly reason: string; readonly ready: DriverReady | null };

type DriverChild = Child<DriverStart, FromDriver>;

/** Every process this run has started and not seen end. */
export class Brood {
  readonly #drivers = new Set<DriverChild>();
  readonly #descendants = new Set<number>();
  readonly #env: NodeJS.ProcessEnv;
  #ending = false;

  /** @param cacheDirectory compiled code of our processes, inside the run's own directory: nothing stays behind */
  constructor(cacheDirectory: string) {
    this.#env = { ...process.env, NODE_COMPILE_CACHE: cacheDirectory };
  }

  /** Runs one driver to its end. Never rejects: a driver that crashes or hangs is an outcome. */
  async run(job: DriverJob): Promise<DriverOutcome> {
    if (this.#ending) return { status: "failed", reason: "interrupted", ready: null };
    let driver: DriverChild;
    try {
      driver = await Child.start("driver", nodeCommand("driver/main", job.pin), { env: this.#env });
    } catch (error) {
      return { status: "failed", reason: (error as Error).message, ready: null };
    }
    this.#drivers.add(driver);
    const spawned = new Set<number>();
    try {
      driver.send(job.start);
      return await this.#follow(driver, job, spawned);
    } finally {
      await driver.terminate();
      this.#drivers.delete(driver);
      // A driver that ended well has ended its peers; after any other end they are ours.
      for (const pid of spawned) this.#descendants.delete(pid);
      for (const pid of [driver.pid, ...spawned]) endGroup(pid);
    }
  }

  async #follow(driver: DriverChild, job: DriverJob, spawned: Set<number>): Promise<DriverOutcome> {
    const deadline = performance.now() + job.timeoutMs;
    let ready: DriverReady | null = null;
    for (;;) {
      let message: FromDriver;
      try {
        const left = Math.max(1, Math.min(job.silenceMs ?? Number.POSITIVE_INFINITY, deadline - performance.now()));
        message = await driver.next(["ready", "spawned", "cell", "check", "codecs", "done", "failed"], left);
      } catch (error) {
        return { status: "failed", reason: whyNot(driver, job, deadline, error as Error), ready };
      }
      if (message.type === "done") return { status: "done", ready };
      if (message.type === "failed") return { status: "failed", reason: (message as Failed).message, ready };
      if (message.type === "ready") ready = message;
      else if (message.type === "spawned") {
        spawned.add(message.pid);
        this.#descendants.add(message.pid);
      } else job.onResult(message);
    }
  }

  /** Ends everything at once; for signals. */
  async end(): Promise<void> {
    this.#ending = true;
    const pids = [...this.#descendants];
    await Promise.all([...this.#drivers].map((driver) => driver.terminate(0)));
    for (const pid of pids) killGroup(pid);
  }
}

function whyNot(driver: DriverChild, { timeoutMs, silenceMs }: DriverJob, deadline: number, error: Error): string {
  if (performance.now() >= deadline) return `not finished within ${timeoutMs} ms`;
  return driver.running && silenceMs !== undefined
    ? `the driver process hung: it said nothing for ${Math.round(silenceMs / 1000)} s`
    : error.message;
}

/** Drivers and peers lead process groups of their own, so a group of that number is theirs even when its leader is gone. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // No such group: the peer has ended, as it should.
  }
}
