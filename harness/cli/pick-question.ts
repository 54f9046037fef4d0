import { PICK_PAYLOADS } from "../../scenarios/profiles/default-workload.ts";
import type { LoadPoint, Workload } from "../../scenarios/workload.ts";
import type { WaitMode } from "../../transports/contract/capabilities.ts";
import type { Cell } from "../coordinator/arm.ts";
import type { Question as PickQuestion } from "../pick/pick.ts";
import type { Placement } from "../results/model.ts";
import { chooseCells, defaultPlacements } from "./arms.ts";
import { type AskedQuestion, neededClients } from "./asked-question.ts";
import type { MeasureOptions } from "./options.ts";
import { sizesOf } from "./payloads.ts";
import { recordedCells } from "./recorded.ts";
import { asksForMore, fanOutCells, sizedCells, workloadCells } from "./workload.ts";

/**
 * Returns the sizes that decide. Where the user typed sizes, these are the typed ones that the default workload has, or
 * all of them when it has none; otherwise those of the profile.
 */
export function pickSizes({ workload, profile }: AskedQuestion): readonly number[] {
  const payloads = sizesOf(workload.payloads);
  if (workload.payloads === profile.workload.payloads) return payloads;
  const usual = payloads.filter((payload) => PICK_PAYLOADS.includes(payload));
  return usual.length > 0 ? usual : payloads;
}

/** Returns the question of the pick: the requests that were asked for, or the sizes of the default workload. */
export function questionFor(
  options: MeasureOptions,
  question: AskedQuestion,
  cells: readonly Cell[],
  placements: readonly Placement[],
): PickQuestion {
  const modes: readonly WaitMode[] = modesOf(options);
  const { peer, workMicros } = question.workload;
  const optimize = question.fansOut ? "throughput" : question.workload.optimize;
  const { typicalWorkMicros = 0 } = question.profile;
  const { matters } = options;
  const needed = neededClients(question.requirements);
  const common = {
    modes,
    ...(needed === undefined ? {} : { neededClients: needed }),
    placement: placementOf(placements),
    peer,
    optimize,
    ...(matters === undefined ? {} : { matters }),
    // Measured work needs no assumption. A saturated server shows its capacity, and not how long a request takes.
    ...(workMicros > 0 || optimize === "throughput" ? {} : { assumedWorkNs: 1000 * typicalWorkMicros }),
  };
  if (question.fansOut) return { ...common, payloads: pickSizes(question), benchmark: "fan-out" };
  const { codec } = question.workload;
  if (codec !== null) return { ...common, payloads: pickSizes(question), benchmark: "codec-round-trip", codec };
  if (!asksForMore(question.workload)) return { ...common, payloads: pickSizes(question), benchmark: "round-trip" };
  const payloads = [...new Set(cells.map(({ payloadBytes }) => payloadBytes))];
  const { clients, ratePerSecond } = question.workload;
  return { ...common, payloads, benchmark: "workload", clients, ratePerSecond, measuredWorkNs: 1000 * workMicros };
}

/** Returns what is measured of each candidate. */
export function cellsFor(question: AskedQuestion): readonly Cell[] {
  const { workload, fansOut } = question;
  if (asksForMore(workload)) return workloadCells(workload);
  // Subscribers take long to start, so only the sizes of the answer are measured.
  if (fansOut) return fanOutCells(pickSizes(question));
  const sizes = sizesOf(workload.payloads);
  const { codec, recorded } = workload;
  if (codec !== null) return recorded === undefined ? sizedCells(codec, sizes) : recordedCells(recorded, [codec]);
  return chooseCells(undefined, sizes);
}

/**
 * Returns the one placement of requests that were asked for. Several clients with a rate run on all CPUs: on one CPU
 * that all of them share, they could not keep the rate.
 */
export function placementFor(workload: Workload): Placement {
  const hasLoad = ({ clients, ratePerSecond }: LoadPoint): boolean => clients > 1 && ratePerSecond !== null;
  const isLoad = [workload, ...(workload.otherLoads ?? [])].some(hasLoad);
  return isLoad ? "unpinned" : placementOf(defaultPlacements());
}

/** Returns the placement that the pick is made for. */
export function placementOf(placements: readonly Placement[]): Placement {
  return placements.includes("two-cpus") ? "two-cpus" : (placements[0] ?? "unpinned");
}

/** Returns the waiting classes that a pick may come from. */
export function modesOf({ mode }: MeasureOptions): readonly WaitMode[] {
  return mode ?? ["event"];
}
