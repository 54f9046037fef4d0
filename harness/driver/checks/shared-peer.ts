import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Place } from "../../../transports/contract/transport.ts";
import type { RpcClient } from "../../rpc/client.ts";
import type { RunningPeer } from "../peers/running-peer.ts";
import { CleanUp } from "./clean-up.ts";

/**
 * Healthy server that harmless checks use one after the other, because starting a server takes most of the time of a
 * check. It is started again if its process has ended, or if a check has closed the only connection it can have.
 */
export class SharedPeer {
  #running: RunningPeer | undefined;
  /** For rendezvous `parent`: the only connection, which therefore outlives the checks that use it. */
  #onlyClient: RpcClient | undefined;
  #sweep: () => Promise<void> = async () => {};
  #gone = false;

  get running(): RunningPeer | undefined {
    return this.#gone ? undefined : this.#running;
  }

  /** The only connection to a server that has one, once a check has used it. */
  get client(): RpcClient | undefined {
    return this.#onlyClient;
  }

  /** @param sweep removes the remains of the server if it is killed */
  async adopt(running: RunningPeer, sweep: () => Promise<void>): Promise<void> {
    await this.discard();
    this.#running = running;
    this.#sweep = sweep;
    this.#gone = false;
    void running.exited.then(() => this.#lose(running));
  }

  async onlyClient(running: RunningPeer): Promise<RpcClient> {
    if (this.#onlyClient === undefined) {
      const client = await running.connect();
      this.#onlyClient = client;
      void client.closed.then(() => this.#lose(running));
    }
    return this.#onlyClient;
  }

  #lose(running: RunningPeer): void {
    if (this.#running === running) this.#gone = true;
  }

  /**
   * Discards the server, after a check failed because its state is uncertain.
   *
   * @returns clause about what did not settle; undefined if all has
   */
  async discard(): Promise<string | undefined> {
    const running = this.#running;
    this.#running = undefined;
    this.#onlyClient = undefined;
    if (running === undefined) return undefined;
    const cleanUp = new CleanUp();
    await cleanUp.step("the end of a server", () => endPeer(running));
    await cleanUp.step("sweep()", this.#sweep);
    return cleanUp.obstacle;
  }
}

/** Ends a server. Continues it first, since a stopped process handles no SIGTERM. Does not wait for a broken one. */
export async function endPeer(running: RunningPeer): Promise<void> {
  if (running.info.pid === process.pid) {
    await running.stop();
    return;
  }
  // Windows has no stopped processes and refuses the signal.
  if (process.platform !== "win32") running.thaw();
  const timer = setTimeout(() => void running.kill("SIGKILL"), 500);
  await running.stop();
  clearTimeout(timer);
}

let places = 0;

/** Makes a directory inside the directory of the run, to which only this check writes. */
export function subPlace(place: Place): Place {
  const directory = join(place.directory, `${process.pid.toString(36)}-${(places++).toString(36)}`);
  mkdirSync(directory, { mode: 0o700 });
  return { directory, prefix: place.prefix };
}
