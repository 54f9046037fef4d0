/** Way in which a side waits. Numbers are compared only within one mode. */
export type WaitMode = "event" | "blocking" | "polling";
export type Pattern = "request-reply" | "one-way" | "fan-out";
export type Platform = "linux" | "darwin" | "win32";

/**
 * Claims that a mechanism makes about itself, as data. The conformance suite tries to falsify each one.
 * Structured-cloneable and constant after the module has loaded.
 */
export interface Capabilities {
  /** The first mode is measured by default. `event` needs the `event` face of the transport, the others `blocking`. */
  readonly modes: readonly [WaitMode, ...WaitMode[]];
  readonly patterns: readonly Pattern[];
  /** Where both ends meet: at an address, in the parent that launches the peer, or in one process that has both. */
  readonly rendezvous: "address" | "parent" | "process";
  /**
   * Layer that keeps message boundaries: the kernel, a length `prefix` right before the bytes that `send` got, or a
   * `library`. Any encoding or other header counts as a library, also your own: a check writes such bytes itself.
   */
  readonly boundaries: "kernel" | "library" | "prefix";
  readonly delivery: "reliable" | "lossy";
  readonly ordering: "fifo" | "none";
  /** Largest message `send` takes, rpc header included; 64 MiB where the mechanism itself has no bound. */
  readonly maxMessageBytes: number;
  readonly maxClients: number;
  /** Requests a client may have outstanding; 1 for lockstep mechanisms. */
  readonly maxInFlight: number;
  /** `checked`: connect fails when nobody listens. `lazy`: it succeeds and the peer may come later. */
  readonly connects: "checked" | "lazy";
  /** `native`: the mechanism pushes back. `outbox`: our bounded queue does. `none`: messages are dropped. */
  readonly backpressure: "native" | "outbox" | "none";
  /** Detection of a dead peer: at once, within 1000 ms by a heartbeat, or never. */
  readonly peerLoss: "immediate" | "heartbeat" | "undetected";
  readonly auth: readonly ("permissions" | "shared-key")[];
  /** True if messages that `send` has taken survive the death of the server and reach its successor. */
  readonly persistent: boolean;
  readonly platforms: readonly Platform[];
  /** Languages that can use the mechanism, through our peers or a documented protocol: `python`, `c`, `any`. */
  readonly languages: readonly string[];
  /** npm packages that a program needs to use the mechanism; absent if the module does not state them. */
  readonly packages?: readonly string[];
  /** True if the face of the first mode runs native code other than Node's; absent if the module does not state it. */
  readonly native?: boolean;
  /** Program that must run beside both ends and passes their messages on, such as `redis-server`; absent if none. */
  readonly broker?: string;
}

/** Language given for a server that is a user's program: its real language is unknown. */
export const PROGRAM = "program";

/** `maxMessageBytes` of mechanisms that have no limit themselves: 64 MiB. */
export const UNBOUNDED_MESSAGE_BYTES: number = 64 * 1024 * 1024;
