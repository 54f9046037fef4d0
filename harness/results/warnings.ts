import type { WaitMode } from "../../transports/contract/capabilities.ts";
import type { Placement } from "./placement.ts";

/** Warnings that a report can have, with their meanings. A test keeps the table of `reports/README.md` equal to it. */
export const WARNINGS = {
  "beyond-the-knee": "the replies of an open-loop cell do not keep up with its rate",
  bimodal: "the trials of a cell fall into two groups, and the median describes neither",
  "c-ratio-doubtful": "a round trip took less time than plain C",
  "codecs-not-measured": "the table of codecs is missing",
  "cpu-quota": "the control group allows less CPU time than two busy processes need",
  crash: "a fault in native code ended a process",
  "few-rounds": "too few rounds for an interval",
  "hypervisor-steal": "the hypervisor took CPU time",
  "keep-awake-failed": "`--keep-awake` had no effect",
  "late-wake-ups": "the machine wakes sleepers so late that a p99 shows the machine",
  "load-average": "the load average is above twice the number of CPUs",
  "module-refused": "a module of a user cannot be used",
  "not-settled": "the second half of a trial is faster than the first",
  "not-stationary": "the second half of a trial is slower than the first",
  "other-processes": "other processes used CPU time",
  "same-commit": "the gate compared a commit with itself, or with what is not committed",
  "schedule-not-kept": "the driver could not keep the schedule in some trials of an open-loop cell",
  "speed-changed": "the frozen echo, whose code never changes, was slower in some rounds than in others",
  "target-missed": "the run ended before every interval was as narrow as `--until` asked",
  "uncommitted-changes": "the gate measured a head with changes that are not committed",
  unclassified: "a warning of schema version 1, which had no ids",
} as const;

export type WarningId = keyof typeof WARNINGS;

/** Subject of a warning: cells or a mechanism; without any field, the run as a whole. */
export interface WarningPlace {
  readonly transport?: string;
  readonly mode?: WaitMode;
  readonly placement?: Placement;
  readonly benchmark?: string;
  readonly payloadBytes?: number;
  readonly ratePerSecond?: number;
  /** Crashed process, as in `Report.crashes`. */
  readonly process?: string;
  /** Module of a user, by its path as it was typed. */
  readonly module?: string;
}

/** Something that makes figures worth less. Select by `id`, show `text`. */
export interface Warning {
  readonly id: WarningId;
  /** One sentence: what was found, and what to do. */
  readonly text: string;
  readonly where: WarningPlace;
}
