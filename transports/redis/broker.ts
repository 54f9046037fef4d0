/** Starts and ends the broker: a redis-server or valkey-server that belongs to one server of ours and ends with it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { IpcError, toIpcError } from "../contract/errors.ts";
import { Deadline } from "../support/deadline.ts";
import { OutputTail } from "../support/output-tail.ts";
import { isListening } from "../support/stream-client.ts";

const PROGRAMS = ["redis-server", "valkey-server"] as const;
const START_LIMIT_MS = 5000;
const ATTEMPT_MS = 5;
const END_LIMIT_MS = 1000;

/**
 * Runs the broker, and kills it at the end of standard input. Standard input ends when our server closes it, or dies in
 * any way. Without this script, the broker would outlive a server that was killed.
 */
const GUARD =
  'exec 3<&0; "$@" </dev/null 3<&- & broker=$!; (read -r _ <&3; kill -KILL $broker) >/dev/null 2>&1 & ' +
  "guard=$!; exec 3<&-; wait $broker; code=$?; kill $guard 2>/dev/null; exit $code";

export const MISSING = "no redis-server or valkey-server found; apt-get install redis-server";

/** Returns the name and version of the broker on this machine; undefined if there is none. */
export function findBroker(): { readonly program: string; readonly version: string } | undefined {
  for (const program of PROGRAMS) {
    try {
      const text = execFileSync(program, ["--version"], { encoding: "utf8", timeout: START_LIMIT_MS });
      return { program, version: `${program} ${/v=(\S+)/.exec(text)?.[1] ?? "of unknown version"}` };
    } catch {
      // Not installed, or it does not run.
    }
  }
  return undefined;
}

/**
 * Returns the settings of the broker: no TCP port and no files. The output to a reader has no limit, because at most
 * `maxInFlight` replies wait.
 */
function argumentsFor(path: string): string[] {
  const settings = {
    port: "0",
    unixsocket: path,
    unixsocketperm: "600",
    save: "",
    appendonly: "no",
    daemonize: "no",
    // A title would overwrite the environment, which marks the processes of a run. Redis has this setting since 6.2.
    "set-proc-title": "no",
    dir: dirname(path),
    "client-output-buffer-limit": "pubsub 0 0 0",
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

export class Broker {
  readonly #guard: ChildProcess;
  readonly #output = new OutputTail();
  readonly #exited: Promise<unknown>;

  private constructor(program: string, path: string) {
    // In a process group of its own it would survive Ctrl-C. It needs none, because the guard ends with this process.
    this.#guard = spawn("/bin/sh", ["-c", GUARD, "sh", program, ...argumentsFor(path)], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#exited = new Promise((resolve) => {
      this.#guard.once("exit", resolve);
      this.#guard.once("error", resolve);
    });
    this.#guard.stdin?.on("error", () => undefined);
    for (const stream of [this.#guard.stdout, this.#guard.stderr]) if (stream !== null) this.#output.follow(stream);
  }

  /** Starts the broker at a path and waits until it accepts connections. @throws IpcError IPC_SYSTEM, IPC_TIMEOUT */
  static async start(transport: string, path: string): Promise<Broker> {
    const program = findBroker()?.program;
    if (program === undefined) throw new IpcError("IPC_SYSTEM", `${transport}: ${MISSING}`, { transport });
    const broker = new Broker(program, path);
    const over = new AbortController();
    const late = Promise.withResolvers<"late">();
    const deadline = new Deadline(START_LIMIT_MS, () => late.resolve("late"));
    const outcome = await Promise.race([
      broker.#exited.then(() => "ended" as const),
      accepts(path, over.signal).then(
        () => "ready" as const,
        (error: unknown) => toIpcError(error, transport),
      ),
      late.promise,
    ]);
    deadline.clear();
    over.abort();
    if (outcome === "ready") return broker;
    await broker.end();
    if (outcome instanceof IpcError) throw outcome;
    const last = broker.#output.lastTelling() ?? "it printed nothing";
    const what = outcome === "late" ? `accepted no connection within ${START_LIMIT_MS} ms` : "did not start";
    const code = outcome === "late" ? "IPC_TIMEOUT" : "IPC_SYSTEM";
    throw new IpcError(code, `${transport}: ${program} ${what}; last line of its output: ${last}`, { transport });
  }

  /** Ends the broker and waits for its end. */
  async end(): Promise<void> {
    this.#guard.stdin?.end();
    const over = new AbortController();
    const late = delay(END_LIMIT_MS, undefined, { signal: over.signal, ref: false }).catch(() => undefined);
    await Promise.race([this.#exited, late]);
    over.abort();
  }
}

async function accepts(path: string, over: AbortSignal): Promise<void> {
  while (!over.aborted && !(await isListening({ path }))) await delay(ATTEMPT_MS);
}
