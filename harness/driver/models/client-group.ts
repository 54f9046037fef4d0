import { IpcError, shortageIn } from "../../../transports/contract/errors.ts";
import { type DriverProcess, startDriver } from "../../process/driver-process.ts";
import { rejection } from "../../process/failure.ts";
import type { LoadOrder, LoadWork, SubscribeWork } from "../../process/load-messages.ts";
import type { FromDriver, ToDriver, UsageReport } from "../../process/messages.ts";
import { descriptorShortage, descriptorsLeft } from "../../process/shortage.ts";
import { type ClientWindow, clientWindowOf, NOTHING_USED, sumUsage } from "./client-window.ts";
import type { Site } from "./model.ts";

const READY_TIMEOUT_MS = 30_000;
/** Longest wait for a window beyond its planned time. */
const WINDOW_TIMEOUT_MS = 60_000;

/** Client processes of one cell. They run on the driver's CPUs, because they inherit its mask. */
export class ClientGroup {
  readonly #children: readonly DriverProcess[];
  #used = NOTHING_USED;

  private constructor(children: readonly DriverProcess[]) {
    this.#children = children;
  }

  /**
   * Resolves when all are connected. They connect only when the last one has loaded, since a server may close an idle
   * connection.
   *
   * @param keepAlive called after each start; it must use the caller's connection, for the same reason
   * @throws Error with the reason why the first one is not connected
   */
  static async start(
    site: Site,
    clients: number,
    workOf: (index: number) => LoadWork | SubscribeWork,
    keepAlive: () => Promise<unknown> = async () => {},
  ): Promise<ClientGroup> {
    const left = descriptorsLeft(site.link.peer.info.pid);
    const children: DriverProcess[] = [];
    const group = new ClientGroup(children);
    try {
      // One after the other, since sixteen compilers that start together on two CPUs would exceed their time limits.
      for (let index = 0; index < clients; index++) {
        const child = await startDriver("client");
        children.push(child);
        site.onSpawn(child.pid);
        child.send({ ...site.start, work: workOf(index) });
        await reached(child, "prepared", site);
        await keepAlive();
      }
      for (const child of children) {
        child.send({ type: "begin" });
        await reached(child, "load-ready", site);
      }
    } catch (error) {
      await group.end();
      const shortage = shortageIn(error) ?? descriptorShortage(left, clients);
      const why = (shortage ?? (error as Error)).message;
      const text = `client process ${children.length} of ${clients} did not start: ${why}`;
      throw shortage === undefined ? new Error(text) : new IpcError("IPC_SHORTAGE", text);
    }
    return group;
  }

  tell(message: ToDriver): void {
    for (const child of this.#children) child.send(message);
  }

  /** Collects one answer of each process. @throws Error if one fails or does not answer in that time */
  collect<Type extends "load-window" | "stream-report">(
    type: Type,
    timeoutMs: number,
  ): Promise<Extract<FromDriver, { type: Type }>[]> {
    return Promise.all(
      this.#children.map(async (child) => {
        const wanted: readonly FromDriver["type"][] = [type, "failed"];
        const answer: FromDriver = await child.next(wanted, timeoutMs);
        if (answer.type === "failed") throw new Error(`a client process failed: ${answer.message}`);
        return answer as Extract<FromDriver, { type: Type }>;
      }),
    );
  }

  /** Runs one window of all clients; each does its own part. @throws Error as `collect` */
  async window(order: LoadOrder, plannedMs: number): Promise<ClientWindow[]> {
    this.tell({ type: "go", ...order });
    const windows = await this.collect("load-window", WINDOW_TIMEOUT_MS + plannedMs);
    this.#used = sumUsage(windows.map(({ usage }) => usage));
    return windows.map(clientWindowOf);
  }

  /** Usage of all clients together, after the last window. */
  get used(): UsageReport {
    return this.#used;
  }

  async end(): Promise<void> {
    this.tell({ type: "end-load" });
    await Promise.all(this.#children.map((child) => child.finish(2000)));
  }
}

async function reached(child: DriverProcess, state: "prepared" | "load-ready", { transport }: Site): Promise<void> {
  const answer = await child.next([state, "failed"], READY_TIMEOUT_MS);
  if (answer.type === "failed") throw rejection(transport.id, answer);
}
