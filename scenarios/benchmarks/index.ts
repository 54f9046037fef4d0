import type { Benchmark } from "../benchmark.ts";
import { roundTrip } from "./round-trip.ts";
import { throughput } from "./throughput.ts";

export const BENCHMARKS: readonly Benchmark[] = [roundTrip, throughput];
