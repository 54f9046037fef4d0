import type { Benchmark } from "../benchmark.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

export const sizeSweep: Benchmark = {
  name: "size-sweep",
  model: "ping-pong",
  title: "Round trip against message size",
  analysis:
    "From one byte to 64 MiB (less the header) in steps of four, each mechanism up to its own limit. On log-log axes " +
    "a mechanism is flat while its fixed cost dominates and then climbs with the bytes; the bend is where copying " +
    "begins to matter.",
  pattern: "request-reply",
  standard: false,
  variants: [{}],
  payloads: [1, 4, 16, 64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB - 16],
  weight: 1,
};
