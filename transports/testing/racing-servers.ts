/** Servers that listen at one address in the same microseconds: threads, which meet at a barrier in shared memory. */
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { isIpcError } from "../contract/errors.ts";
import type { Address, Transport } from "../contract/transport.ts";

interface Order {
  readonly modulePath: string;
  readonly exportName: string;
  readonly face: "event" | "blocking";
  readonly address: Address;
  readonly memory: SharedArrayBuffer;
  readonly rounds: number;
}
export type Contest = Omit<Order, "memory">;

const SERVERS = 3;
const LIMIT_MS = 20_000;
const SPINS = 20_000;
/** Words of the shared memory: arrivals at the barrier so far, servers that listen in this round, other failures. */
const ARRIVED = 0;
const WON = 1;
const BROKEN = 2;

/**
 * @param makeStale leaves the same things at the address as a killed server
 * @returns number of servers that took over in each round, or -1 if one failed with another error than "in use"
 */
export async function winnersOf(contest: Contest, makeStale: () => void): Promise<number[]> {
  const memory = new SharedArrayBuffer(12);
  const words = new Int32Array(memory);
  const workerData: Order = { ...contest, memory };
  const workers = Array.from({ length: SERVERS }, () => new Worker(fileURLToPath(import.meta.url), { workerData }));
  try {
    await Promise.all(workers.map((worker) => once(worker, "message")));
    const meet = barrier(words);
    return Array.from({ length: contest.rounds }, () => {
      words.fill(0, WON);
      makeStale();
      meet();
      meet();
      const winners = words[BROKEN] === 0 ? (words[WON] as number) : -1;
      meet();
      return winners;
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function barrier(words: Int32Array): () => void {
  let phase = 0;
  return () => {
    phase += SERVERS + 1;
    Atomics.add(words, ARRIVED, 1);
    Atomics.notify(words, ARRIVED);
    const untilMs = performance.now() + LIMIT_MS;
    for (let spins = 0; ; spins++) {
      const arrived = Atomics.load(words, ARRIVED);
      if (arrived >= phase) return;
      if (spins > SPINS) Atomics.wait(words, ARRIVED, arrived, 1);
      if (performance.now() > untilMs) throw new Error("the other servers did not come to the barrier");
    }
  };
}

async function compete({ modulePath, exportName, face, address, memory, rounds }: Order): Promise<void> {
  const words = new Int32Array(memory);
  const transport = ((await import(modulePath)) as Record<string, Transport>)[exportName] as Transport;
  const handler = { onOpen() {}, onMessage() {}, onWritable() {}, onClose() {} };
  const listen = async (): Promise<Partial<AsyncDisposable & Disposable> | undefined> =>
    face === "event" ? transport.event?.listen(address, handler) : transport.blocking?.listen(address);
  const meet = barrier(words);
  parentPort?.postMessage("ready");
  for (let round = 0; round < rounds; round++) {
    meet();
    const server = await listen().catch((error: unknown) => {
      if (!isIpcError(error) || error.code !== "IPC_ADDRESS_IN_USE") Atomics.add(words, BROKEN, 1);
      return undefined;
    });
    if (server !== undefined) Atomics.add(words, WON, 1);
    meet();
    server?.[Symbol.dispose]?.();
    await server?.[Symbol.asyncDispose]?.();
    meet();
  }
}

if (!isMainThread && workerData !== null && "memory" in workerData) await compete(workerData as Order);
