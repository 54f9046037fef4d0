import { join } from "node:path";
import { shortageIn } from "../../transports/contract/errors.ts";
import type { Place } from "../../transports/contract/transport.ts";
import { posixAvailability } from "../../transports/posix/index.ts";
import type { Bundle } from "../bundle/bundle.ts";
import { BLOCKED_MS, type BlockedSide, SERVER_BLOCKED } from "../process/blocked.ts";
import { isCrash } from "../process/crash.ts";
import { type DriverProcess, startDriver } from "../process/driver-process.ts";
import { type HandedOver, startForOther } from "../process/hand-over.ts";
import { ControlError } from "../process/mailbox.ts";
import type { Alive, DriverReady, DriverStart, Failed, FromDriver, PinPrefix } from "../process/messages.ts";
import { nodeCommand, SETTLING_VARIABLES } from "../process/node-command.ts";
import { endGroup, RUN_VARIABLE } from "../process/orphans.ts";
import type { Crash } from "../results/model.ts";

/** Start message of one driver process, and its timeouts. */
export interface DriverJob {
  readonly start: DriverStart;
  readonly pin: PinPrefix;
  /** Variables of the driver and its peer, besides those of the run. */
  readonly env?: Readonly<Record<string, string>>;
  /** True where its peer is a separate process on Node, which can be started beside it. */
  readonly startsPeer?: boolean;
  readonly timeoutMs: number;
  /** Returns the limit from each result to the next, ms; default: all results have `timeoutMs` together. */
  readonly nextTimeoutMs?: () => number;
  /** Silence after which a driver is hung; default: the whole time. */
  readonly inactivityTimeoutMs?: number;
  /** @returns why this result cannot belong to this job, which then has failed; undefined when it can */
  readonly onResult: (message: DriverResult) => string | undefined;
  /** Called with a clause about a child of the driver that crashed. */
  readonly onCrash?: (what: string) => void;
}

export type DriverResult = Extract<FromDriver, { type: "cell-begun" | "cell" | "check" | "codecs" }>;

export type DriverOutcome =
  | {
      readonly status: "done";
      /** Last line printed on its standard output; absent when there was none. */
      readonly printed?: string;
      readonly ready: DriverReady | null;
    }
  | {
      readonly status: "failed";
      readonly reason: string;
      /** True where the machine had too little of something; the mechanism is not to blame. */
      readonly shortage?: boolean;
      /** Side whose thread was blocked; absent where it ended for another reason. */
      readonly blocked?: BlockedSide;
      readonly ready: DriverReady | null;
    };

/** Driver that has everything ready and waits for its turn, or has ended before. */
export interface Prepared {
  readonly driverPid: number | undefined;
  /** Pids of its peer and other processes, where they run already. */
  readonly spawned: ReadonlySet<number>;
  /** Those of them that belong on the driver's CPUs. */
  readonly clients: ReadonlySet<number>;
  /** Runs one of its turns but the last. Never rejects: a driver that crashes or hangs is an outcome. */
  turn(): Promise<DriverOutcome | TurnEnd>;
  /** Runs its last turn, to the end. Never rejects either. */
  finish(): Promise<DriverOutcome>;
}

/** Driver that has done one of its turns and waits for the next. */
export interface TurnEnd {
  readonly status: "waiting";
  readonly ready: DriverReady | null;
}

/** Starts the processes of a run, follows them, and ends those that are left. */
export class ProcessSupervisor {
  readonly #drivers = new Set<DriverProcess>();
  readonly #descendants = new Set<number>();
  readonly #env: NodeJS.ProcessEnv;
  readonly #run: string;
  /** Drivers of this run that crashed, and processes started by them that did. */
  readonly crashes: Crash[];
  /** Files that drivers run from; undefined: the source. */
  readonly bundle: Bundle | undefined;
  #ending = false;

  /**
   * Keeps compiled code beside the bundle or inside the run's own directory, so that nothing stays behind. Where the
   * user has set NODE_COMPILE_CACHE, it is kept there.
   *
   * @param bundle files that drivers run from; default: the source
   */
  constructor({ directory, prefix }: Place, crashes: Crash[] = [], bundle?: Bundle) {
    this.crashes = crashes;
    this.#run = prefix;
    this.bundle = bundle;
    const compiled = bundle?.compiled ?? join(directory, "cache");
    this.#env = { NODE_COMPILE_CACHE: compiled, ...SETTLING_VARIABLES, ...process.env, [RUN_VARIABLE]: prefix };
  }

  /** Runs one driver to its end. Never rejects: a driver that crashes or hangs is an outcome. */
  async run(job: DriverJob): Promise<DriverOutcome> {
    return (await this.prepare(job)).finish();
  }

  /** Starts a driver; one that holds is prepared when this resolves. Never rejects. */
  async prepare(job: DriverJob): Promise<Prepared> {
    if (this.#ending) return NEVER;
    const peer = this.#startPeer(job);
    let driver: DriverProcess;
    try {
      const env = { ...this.#env, ...job.env };
      driver = await startDriver("driver", this.#command("driver/main", job, job.pin), { env, owns: peer });
    } catch (error) {
      peer?.end();
      const shortage = shortageIn(error) !== undefined;
      return ended({ status: "failed", reason: (error as Error).message, shortage, ready: null });
    }
    // Ending may have begun while this one was being started.
    if (this.#ending) {
      peer?.end();
      await driver.terminate(0);
      return NEVER;
    }
    this.#drivers.add(driver);
    const course: Course = { driver, job, spawned: new Set(), clients: new Set(), ready: null };
    if (peer === undefined) driver.send(job.start);
    else {
      this.#spawned(course, peer.pid);
      driver.send({ ...job.start, peerPid: peer.pid });
      void peer.exited.then((exit) => driver.send({ type: "peer-exited", ...exit }));
    }
    if (job.start.hold !== undefined) {
      const early = await this.#follow(course, "prepared");
      if (early !== undefined) {
        await this.#end(course);
        return ended(early);
      }
    }
    return {
      driverPid: driver.pid,
      spawned: course.spawned,
      clients: course.clients,
      turn: async () => {
        driver.send({ type: "begin" });
        const early = await this.#follow(course, "prepared");
        if (early !== undefined) await this.#end(course);
        return early ?? { status: "waiting", ready: course.ready };
      },
      finish: async () => {
        let outcome: DriverOutcome | undefined;
        try {
          if (job.start.hold !== undefined) driver.send({ type: "begin" });
          outcome = await this.#follow(course, "done");
        } finally {
          await this.#end(course);
        }
        const printed = driver.printed.split("\n").at(-1);
        return outcome ?? { status: "done", ...(printed ? { printed } : {}), ready: course.ready };
      },
    };
  }

  /**
   * Returns the command of a process. A process that loads a user's module runs from source, and so do its children.
   * The module imports our contract, which would exist twice beside a bundle. The registry of a checkout imports its
   * own.
   */
  #command(entry: string, { start }: DriverJob, pin: PinPrefix): [string, ...string[]] {
    const { module, isRegistry } = start.transport;
    return nodeCommand(entry, pin, [], module === null || isRegistry === true ? this.bundle?.directory : undefined);
  }

  /** Starts the peer beside its driver. Where that fails, the driver tries once more and reports the reason. */
  #startPeer(job: DriverJob): HandedOver | undefined {
    // On Windows a process cannot inherit the pipes of another one.
    if (job.startsPeer !== true || process.platform === "win32") return undefined;
    const { hold, peerPin } = job.start;
    return startForOther(this.#command("peer/main", job, hold?.pin ?? peerPin), { ...this.#env, ...job.env });
  }

  #spawned({ spawned }: Course, pid: number): void {
    spawned.add(pid);
    this.#descendants.add(pid);
  }

  async #end(course: Course): Promise<void> {
    const { driver, spawned } = course;
    const { signal } = await driver.terminate();
    if (isCrash(signal) && driver.shortage === undefined) this.#crashed(course, "driver", signal);
    this.#drivers.delete(driver);
    // A driver that ended well has ended its peers; after any other end they are left to us.
    for (const pid of spawned) this.#descendants.delete(pid);
    for (const pid of [driver.pid, ...spawned]) endGroup(pid, this.#run);
  }

  #crashed({ job }: Course, name: string, signal: string): void {
    const { transport, peerLanguage } = job.start;
    const process = name === "peer" && peerLanguage === "python" ? "Python peer" : name;
    const state = posixAvailability();
    const crash = { transport: transport.id, process, signal, binding: state.available ? state.version : "none" };
    this.crashes.push(crash);
    if (name !== "driver") job.onCrash?.(`the ${process} process was ended by ${signal}`);
  }

  /** Follows a driver. @returns undefined when it has reached this point; otherwise how it ended before */
  async #follow(course: Course, until: "prepared" | "done"): Promise<DriverOutcome | undefined> {
    const { driver, job } = course;
    let limitMs = job.timeoutMs;
    let deadline = performance.now() + limitMs;
    let alive: Alive | undefined;
    for (;;) {
      let message: FromDriver;
      // A driver that has once sent a sign of life owes one at any time.
      const inactivityMs = alive === undefined ? (job.inactivityTimeoutMs ?? Number.POSITIVE_INFINITY) : BLOCKED_MS;
      const leftMs = deadline - performance.now();
      try {
        message = await driver.next(EXPECTED, Math.max(1, Math.min(inactivityMs, leftMs)));
      } catch (error) {
        // It was ended by us, which is no result.
        if (this.#ending) return NEVER;
        // A driver that sent an invalid message still runs for a moment; only one without signs of life is blocked.
        const isLate = error instanceof ControlError && error.late;
        // Which of the two limits it was is not read from the clock: a timer fires up to a millisecond early.
        const isOver = isLate ? leftMs <= inactivityMs : performance.now() >= deadline;
        if (alive !== undefined && isLate && !isOver && driver.running) {
          return { status: "failed", reason: blockedBy(alive), blocked: "client", ready: course.ready };
        }
        const shortage = shortageIn(error);
        const reason = shortage?.message ?? whyNot(driver, job, isOver ? limitMs : undefined, error as Error);
        return { status: "failed", reason, shortage: shortage !== undefined, ready: course.ready };
      }
      if (message.type === until) return undefined;
      if (message.type === "done") return { status: "done", ready: course.ready };
      if (message.type === "failed") {
        const { message: reason, code } = message as Failed;
        const blocked = code === SERVER_BLOCKED ? ({ blocked: "server" } as const) : {};
        return { status: "failed", reason, shortage: code === "IPC_SHORTAGE", ...blocked, ready: course.ready };
      }
      if (message.type === "alive") {
        alive = message;
        continue;
      }
      if (message.type === "ready") course.ready = message;
      else if (message.type === "crashed") this.#crashed(course, message.process, message.signal);
      else if (message.type === "spawned") {
        this.#spawned(course, message.pid);
        if (message.side === "client") course.clients.add(message.pid);
      } else if (message.type !== "prepared") {
        const obstacle = job.onResult(message as DriverResult);
        if (obstacle !== undefined)
          return { status: "failed", reason: `the driver process ${obstacle}`, ready: course.ready };
        if (job.nextTimeoutMs !== undefined && message.type !== "cell-begun") {
          limitMs = job.nextTimeoutMs();
          deadline = performance.now() + limitMs;
        }
      }
    }
  }

  /**
   * Ends everything at once. Code that waits for one of these drivers never continues: their failures are no findings.
   */
  async end(): Promise<void> {
    this.#ending = true;
    const pids = [...this.#descendants];
    await Promise.all([...this.#drivers].map((driver) => driver.terminate(0)));
    for (const pid of pids) endGroup(pid, this.#run);
  }
}

interface Course {
  readonly driver: DriverProcess;
  readonly job: DriverJob;
  readonly spawned: Set<number>;
  readonly clients: Set<number>;
  ready: DriverReady | null;
}

const EXPECTED = [
  "ready",
  "spawned",
  "crashed",
  "prepared",
  "cell-begun",
  "cell",
  "check",
  "alive",
  "codecs",
  "done",
  "failed",
] as const;

/** Never resolves: what waits for a driver after everything was ended waits for ever. */
const NEVER = new Promise<never>(() => {});

function ended(outcome: DriverOutcome): Prepared {
  const known = async (): Promise<DriverOutcome> => outcome;
  return { driverPid: undefined, spawned: new Set(), clients: new Set(), turn: known, finish: known };
}

/** Returns which call blocks the thread of a driver, by its last sign of life. */
function blockedBy({ call = "a callback, or a call on a connection," }: Alive): string {
  return `${call} blocks the thread that runs the check: its event loop has not turned for ${BLOCKED_MS / 1000} s`;
}

/** Returns why a driver gave no result. @param overMs limit that was exceeded, if one was */
function whyNot(driver: DriverProcess, job: DriverJob, overMs: number | undefined, error: Error): string {
  if (overMs !== undefined) return `not finished within ${overMs} ms`;
  const isLate = error instanceof ControlError && error.late;
  return isLate && driver.running && job.inactivityTimeoutMs !== undefined
    ? `the driver process hung: it was silent for ${Math.round(job.inactivityTimeoutMs / 1000)} s`
    : error.message;
}
