import type { MixPart } from "../../scenarios/benchmark.ts";
import type { Address } from "../../transports/contract/transport.ts";

/** Load of a model on the mechanism. */
export interface Load {
  /** Size of a message; the rounded mean of a mix. */
  readonly payloadBytes: number;
  readonly inFlight: number;
  /** Number of client processes or subscribers. */
  readonly clients: number;
  /** Rate of open-loop models; null in a closed loop. */
  readonly ratePerSecond: number | null;
  readonly arrivals: "fixed" | "poisson";
  /** For pipelines: send the next requests together when all replies have arrived. */
  readonly batched: boolean;
  /** Seed of everything random inside the model. */
  readonly seed: number;
  /** For `codec-round-trip`: id of the kind of value that is sent; absent: a table of `payloadBytes`. */
  readonly corpus?: string;
  /** For `workload`: sizes that take turns instead of one. */
  readonly mix?: readonly MixPart[];
  /** For `workload`: CPU time that the server spends on each request beside the echo. */
  readonly workMicros?: number;
}

/** Recorded messages that driver and server read, each for itself; without them, messages are made. */
export interface RecordedPlace {
  /** Absolute path of the file or directory. */
  readonly path: string;
  readonly sha256: string;
  /** Field of the requests by which latencies are grouped. */
  readonly group?: string;
}

/** Client process of `fan-in` or `workload`: sends `load-ready`, then a `load-window` for every `go`. */
export interface LoadWork {
  readonly kind: "load";
  readonly address: Address;
  readonly load: Load;
  /** Number of this client among all of them, from 0. */
  readonly client: number;
}
/** Subscriber of `fan-out`: sends `load-ready`, then a `stream-report` for every stream, probes included. */
export interface SubscribeWork {
  readonly kind: "subscribe";
  readonly address: Address;
}
export interface LoadReady {
  readonly type: "load-ready";
}

/** Window that all clients share; each does its own part of it. */
export interface LoadOrder {
  /** Round trips of each client. */
  readonly messages: number;
  /** Requests per second of all clients together; null: each sends its next request when it has the reply. */
  readonly ratePerSecond: number | null;
  readonly seed: number;
  /** Beginning of the window, CLOCK_MONOTONIC ns as a decimal string. */
  readonly startNs: string;
  /** `true` for requests that ask the server for no work: a warm-up compiles the same code in less time. */
  readonly withoutWork?: boolean;
}
/** Message to a client process of `fan-in` or `workload` that is ready. */
export interface Go extends LoadOrder {
  readonly type: "go";
}
/** Message to a client process of `fan-in`, `workload` or `fan-out`: close and end. */
export interface EndLoad {
  readonly type: "end-load";
}
