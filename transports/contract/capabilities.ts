/** How a side waits, and so the class its numbers are compared in. */
export type WaitMode = "event" | "blocking" | "polling";
export type Pattern = "request-reply" | "one-way" | "fan-out";
export type Platform = "linux" | "darwin" | "win32";

/**
 * What a mechanism claims of itself, as data. The conformance suite tries to falsify each claim.
 * Structured-cloneable and constant after the module has loaded.
 */
export interface Capabilities {
  /** The first is the one measured when nothing else is asked for. `event` needs an event face, the others a blocking one. */
  readonly modes: readonly [WaitMode, ...WaitMode[]];
  readonly patterns: readonly Pattern[];
  /** Who brings the two ends together: an address both know, the parent that launches the peer, or one process hosting both. */
  readonly rendezvous: "address" | "parent" | "process";
  /** Who keeps message boundaries: the kernel, a library, or our length prefix. */
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
  /** How a side learns that the other died: at once, within 1000 ms by a heartbeat, or never. */
  readonly peerLoss: "immediate" | "heartbeat" | "undetected";
  readonly auth: readonly ("permissions" | "shared-key")[];
  /** Messages taken survive the death of the server and reach its successor. */
  readonly persistent: boolean;
  readonly platforms: readonly Platform[];
  /** Who else can speak it, by our peers or by documented protocol: `python`, `c`, `any`. */
  readonly languages: readonly string[];
  /** npm packages that a program needs for it beside Node itself; absent where the module does not state them. */
  readonly packages?: readonly string[];
  /** The face of the first of `modes` runs native code beside Node's own; absent where the module does not state it. */
  readonly native?: boolean;
}

/** `maxMessageBytes` of mechanisms without a bound of their own: 64 MiB. */
export const UNBOUNDED_MESSAGE_BYTES: number = 64 * 1024 * 1024;
