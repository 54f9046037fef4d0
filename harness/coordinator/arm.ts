import type { Benchmark, CodecId, Variant } from "../../scenarios/benchmark.ts";
import type { WaitMode } from "../../transports/contract/capabilities.ts";
import { HEADER_BYTES } from "../../transports/contract/frame.ts";
import type { TransportDescription } from "../../transports/contract/transport.ts";
import { CLIENT_MODELS } from "../process/client-messages.ts";
import { parseCpuList } from "../process/cpus.ts";
import { runsOnNode } from "../process/language.ts";
import type { Load, RecordedPlace } from "../process/load-messages.ts";
import type { TransportReference } from "../process/messages.ts";
import { type PlacementCpus, placementCpus } from "../process/pinning.ts";
import { count } from "../results/format.ts";
import type { Placement } from "../results/model.ts";
import { cannotCarry } from "../rpc/codecs/values.ts";

/** Mechanism with its waiting class and the CPUs of its two ends: the subject of one trial. */
export interface Arm {
  readonly transport: TransportDescription;
  readonly reference: TransportReference;
  readonly version: string;
  readonly mode: WaitMode;
  readonly placement: Placement;
  readonly peerLanguage: string;
  /** Peer program, as in `DriverStart`. */
  readonly peerProgram?: string | undefined;
  /** Language of a measuring client that is not the driver, and its program, as in `DriverStart`; absent: Node. */
  readonly clientLanguage?: string;
  readonly clientProgram?: string | undefined;
  readonly cpus: PlacementCpus;
  /** Variables of its processes, besides those of the run. */
  readonly env?: Readonly<Record<string, string>>;
  /** Codec of both ends. An arm with a codec runs the cells of this codec only. */
  readonly codec?: CodecId;
  /** Cells of the run that concern this arm; absent: all of them. */
  readonly only?: readonly Cell[];
  /** Recorded messages of all its cells. */
  readonly recorded?: RecordedPlace;
}

/** Row of the report: one arm, one benchmark in one variant, one size. */
export interface Cell {
  readonly benchmark: Benchmark;
  readonly variant: Variant;
  readonly payloadBytes: number;
}

/** Returns those cells of a run that belong to this arm. */
export function cellsOf({ codec, only }: Pick<Arm, "codec" | "only">, cells: readonly Cell[]): readonly Cell[] {
  return cells.filter((cell) => cell.variant.codec === codec && only?.includes(cell) !== false);
}

/** Returns the part of a cell that the driver needs. */
export function loadOf({ payloadBytes, variant }: Cell, seed: number): Load {
  return {
    payloadBytes,
    inFlight: variant.inFlight ?? 1,
    clients: variant.clients ?? 1,
    ratePerSecond: variant.ratePerSecond ?? null,
    arrivals: variant.arrivals ?? "fixed",
    batched: variant.batched ?? false,
    seed,
    ...(variant.corpus === undefined ? {} : { corpus: variant.corpus }),
    ...(variant.mix === undefined ? {} : { mix: variant.mix }),
    ...(variant.workMicros === undefined ? {} : { workMicros: variant.workMicros }),
  };
}

/** Returns a short name, unique within a run. Messages to the user use the same name. */
export function cellKey({ benchmark, variant, payloadBytes }: Cell): string {
  const parts = [benchmark.name, `${payloadBytes} B`];
  if (variant.inFlight !== undefined) parts.push(`${variant.inFlight} in flight${variant.batched ? " batched" : ""}`);
  if (variant.clients !== undefined) parts.push(`${variant.clients} clients`);
  if (variant.ratePerSecond !== undefined) parts.push(`${variant.ratePerSecond}/s ${variant.arrivals ?? "fixed"}`);
  if (variant.workMicros !== undefined) parts.push(`${variant.workMicros} µs of work`);
  for (const { bytes, share } of variant.mix ?? []) parts.push(`${Math.round(share * 1000) / 10} % ${bytes} B`);
  if (variant.recorded !== undefined) parts.push(`the messages of ${variant.recorded.name}`);
  if (variant.corpus !== undefined) parts.push(`${variant.corpus} as ${variant.codec}`);
  else if (variant.codec !== undefined) parts.push(`as ${variant.codec}`);
  return parts.join(", ");
}

export type ArmOrReason = { readonly arm: Arm } | { readonly reason: string };

/** Places an arm on CPUs, or returns the reason why it cannot run there. */
export function placeArm(arm: Omit<Arm, "cpus">): ArmOrReason {
  const { mode, placement, transport } = arm;
  const cpus = placementCpus(placement);
  if ("reason" in cpus) return cpus;
  if (mode === "polling" && placement === "same-cpu") {
    return { reason: "each end would spin until the scheduler takes the one CPU away: about 8 ms per round trip" };
  }
  if (mode === "polling" && placement === "unpinned" && cpus.driver === cpus.peer && !/[-,]/.test(cpus.driver)) {
    return { reason: "both ends would spin on the one CPU there is" };
  }
  const { event, blocking } = transport;
  const isOfNode = arm.clientLanguage === undefined || runsOnNode(arm.peerLanguage);
  if (isOfNode && (mode === "event" ? event === undefined : blocking === undefined)) {
    return { reason: `has no ${mode === "event" ? "event-loop" : "blocking"} face` };
  }
  return { arm: { ...arm, cpus } };
}

/** Returns the reason why a cell does not exist for this arm; undefined when it does. */
export function cellReason(arm: Omit<Arm, "version">, cell: Cell): string | undefined {
  const { transport, mode, placement, cpus } = arm;
  const { maxMessageBytes, maxInFlight } = transport.capabilities;
  const { inFlight } = loadOf(cell, 0);
  const byPattern = patternReason(transport, cell.benchmark.pattern);
  if (byPattern !== undefined) return byPattern;
  const byServer = clientReason(arm, cell) ?? programReason(arm, cell) ?? codecReason(arm, cell);
  if (byServer !== undefined) return byServer;
  const { recorded, mix = [] } = cell.variant;
  if (recorded !== undefined && arm.recorded === undefined) return `the messages of ${recorded.name} are not at hand`;
  const largestBytes = Math.max(cell.payloadBytes, recorded?.largestBytes ?? 0, ...mix.map(({ bytes }) => bytes));
  if (largestBytes + HEADER_BYTES > maxMessageBytes) {
    const most = `carries at most ${maxMessageBytes - HEADER_BYTES} bytes of payload in one message`;
    return recorded === undefined ? most : `${most}, and one of ${recorded.name} has ${largestBytes}`;
  }
  if (inFlight > maxInFlight) return `keeps at most ${maxInFlight} requests in flight`;
  const schedules = cell.benchmark.model === "paced" || cell.benchmark.model === "one-way";
  if (schedules && placement === "same-cpu") {
    return "the driver polls its schedule and needs a CPU of its own: the other end would starve";
  }
  if (schedules && placement === "unpinned" && parseCpuList(cpus.driver).length === 1) {
    return "the driver polls its schedule, and there is one CPU only";
  }
  return workloadReason(transport, placement, cell) ?? processReason(transport, mode, cell);
}

/** Models that start servers of their own. */
const START_MODELS: readonly string[] = ["cold-start", "clients-memory"];

/** Shortest mean interval between the requests of one client, ms, that leaves it time to sleep until the reply. */
const SHORTEST_SLEEP_MS = 1.2;

function workloadReason({ capabilities }: TransportDescription, placement: Placement, cell: Cell): string | undefined {
  if (cell.benchmark.model !== "workload") return undefined;
  const { clients, ratePerSecond } = loadOf(cell, 0);
  if (clients > 1 && capabilities.rendezvous !== "address")
    return `no other process can reach its server: 1 client, not ${clients}`;
  if (clients > capabilities.maxClients)
    return `serves at most ${count(capabilities.maxClients, "client")}, not ${clients}`;
  if (placement === "same-cpu" && ratePerSecond !== null && (1000 * clients) / ratePerSecond < SHORTEST_SLEEP_MS) {
    return `each of ${clients} clients would have to stay awake for its schedule and keep the one CPU from the server`;
  }
  return undefined;
}

/** True for a cell that a client in another language can measure. */
export function suitsForeignClient({ benchmark, variant }: Cell): boolean {
  return variant.codec === undefined && CLIENT_MODELS.some((model) => model === benchmark.model);
}

function clientReason({ clientLanguage }: Pick<Arm, "clientLanguage">, cell: Cell): string | undefined {
  if (clientLanguage === undefined || suitsForeignClient(cell)) return undefined;
  return `a client in ${clientLanguage} measures round trips and throughput only`;
}

function programReason({ transport }: Pick<Arm, "transport">, { benchmark, variant }: Cell): string | undefined {
  if (transport.program === undefined) return undefined;
  if (START_MODELS.includes(benchmark.model))
    return "its server is a program of the user's, started by a process of ours that would be measured with it";
  if (variant.recorded?.hasResponses)
    return "its server is a program of the user's, which does not reply with the recorded responses";
  if (variant.codec !== undefined) return "its server is a program of the user's, which has none of these codecs";
  if ((variant.workMicros ?? 0) > 0)
    return "its server is a program of the user's: the work of --work cannot be put into it";
  return undefined;
}

function codecReason({ peerLanguage }: Pick<Arm, "peerLanguage">, { variant }: Cell): string | undefined {
  const { codec, corpus, recorded } = variant;
  if (recorded?.hasResponses && peerLanguage !== "node")
    return `only peers on Node reply with recorded responses, and this one is written in ${peerLanguage}`;
  if (codec === undefined) return undefined;
  if (peerLanguage !== "node")
    return `only peers on Node have these codecs, and this one is written in ${peerLanguage}`;
  return corpus === undefined ? undefined : cannotCarry(codec, corpus);
}

function patternReason({ capabilities }: TransportDescription, pattern: Benchmark["pattern"]): string | undefined {
  const { patterns } = capabilities;
  if (pattern === "any" || patterns.includes(pattern)) return undefined;
  // A server that may send one-way messages can do so to each of its connections.
  if (pattern === "fan-out" && patterns.includes("one-way") && patterns.includes("request-reply")) return undefined;
  return `the pattern ${pattern} does not exist here`;
}

/** Returns the reason why a model cannot have the other processes or connections that it needs. */
function processReason({ capabilities, event }: TransportDescription, mode: WaitMode, cell: Cell): string | undefined {
  const { rendezvous, maxClients } = capabilities;
  const { model } = cell.benchmark;
  const { clients } = loadOf(cell, 0);
  if (model === "one-way" && rendezvous === "process")
    return "both ends share a process: nothing is one-way between two";
  if (model === "fan-in" || model === "fan-out") {
    if (rendezvous !== "address") return "no other process can reach its server";
    if (model === "fan-out" && (mode !== "event" || event === undefined)) return "publishing needs the event-loop face";
    // The driver keeps a connection of its own.
    if (clients + 1 > maxClients) return `serves at most ${maxClients} connections, the driver's own included`;
  }
  if (START_MODELS.includes(model) && rendezvous === "process") return "both ends share a process: no server starts";
  if (model === "clients-memory" && rendezvous === "address" && clients > maxClients)
    return `serves at most ${count(maxClients, "client")}, not ${clients}`;
  if (model === "open-close") {
    if (rendezvous === "parent") return "its connection is the process: there is nothing to open beside it";
    if (maxClients < 2) return `serves at most ${maxClients} connections`;
  }
  return undefined;
}
