import { type MessagePort, threadId } from "node:worker_threads";

/** Option of an address: the id of the listening thread. Absent while nobody listens. */
export const THREAD = "threadId";
const LIMIT_MS = 5000;

/** Message to another thread: a port, and memory or nothing, for the server of that kind and name. */
interface Knock {
  readonly ipcmark: string;
  readonly name: string;
  readonly port: MessagePort;
  readonly memory: SharedArrayBuffer | undefined;
}

/** Starts the connection of a newcomer, who has the other port. */
export type Accept = (port: MessagePort, memory: SharedArrayBuffer | undefined) => void;

/** Servers of this thread that clients in all threads of the process can reach, by the kind and name of each. */
export class ThreadMeeting {
  readonly #kind: string;
  readonly #servers = new Map<string, Accept>();
  #hearing = false;

  /** @param kind id of the transport */
  constructor(kind: string) {
    this.#kind = kind;
  }

  has(name: string): boolean {
    return this.#servers.has(name);
  }

  open(name: string, accept: Accept): void {
    this.#servers.set(name, accept);
    if (this.#hearing) return;
    this.#hearing = true;
    // From `postMessageToThread` (Node 22.5).
    process.on("workerMessage", (value: unknown) => {
      if (typeof value !== "object" || value === null || !("ipcmark" in value) || value.ipcmark !== this.#kind) return;
      const { name: wanted, port, memory } = value as Knock;
      const server = this.#servers.get(wanted);
      if (server === undefined) port.close();
      else server(port, memory);
    });
  }

  close(name: string): void {
    this.#servers.delete(name);
  }

  /** Passes a port to the server. @throws Error if there is none in this thread and none in `thread` */
  async handOver(name: string, thread: unknown, port: MessagePort, memory?: SharedArrayBuffer): Promise<void> {
    const here = this.#servers.get(name);
    if (here !== undefined) return here(port, memory);
    if (typeof thread !== "number" || thread === threadId) throw new Error("no such server in this thread");
    const { postMessageToThread } = await import("node:worker_threads");
    const knock: Knock = { ipcmark: this.#kind, name, port, memory };
    await postMessageToThread(thread, knock, [port], LIMIT_MS);
  }
}
