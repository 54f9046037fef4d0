import type { Benchmark } from "../benchmark.ts";
import { clientsMemory } from "./clients-memory.ts";
import { codecRoundTrip } from "./codec-round-trip.ts";
import { coldStart } from "./cold-start.ts";
import { fanIn } from "./fan-in.ts";
import { fanOut } from "./fan-out.ts";
import { idle } from "./idle.ts";
import { loadCurve } from "./load-curve.ts";
import { oneWayLatency } from "./one-way-latency.ts";
import { openClose } from "./open-close.ts";
import { pipeline } from "./pipeline.ts";
import { roundTrip } from "./round-trip.ts";
import { sizeSweep } from "./size-sweep.ts";
import { throughput } from "./throughput.ts";
import { workload } from "./workload.ts";

export const BENCHMARKS: readonly Benchmark[] = [
  roundTrip,
  throughput,
  pipeline,
  loadCurve,
  oneWayLatency,
  fanIn,
  fanOut,
  openClose,
  coldStart,
  clientsMemory,
  idle,
  sizeSweep,
  codecRoundTrip,
  workload,
];
