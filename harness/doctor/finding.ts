/** Result of a probe on one topic. */
export interface Finding {
  readonly topic: string;
  /** `ok`: nothing to do. `note`: information. `warning`: results or a mechanism suffer. `problem`: something fails. */
  readonly status: "ok" | "note" | "warning" | "problem";
  /** Facts that were found, with figures. */
  readonly found: string;
  /** Consequence for runs and their readers; absent where there is none. */
  readonly meaning?: string;
  /** Set when no run can work on a machine like this. */
  readonly stopsRuns?: true;
  /** Command that changes it. */
  readonly fix?: string;
}

/** Examines one topic. Never throws for what the system does not have. */
export type Probe = () => Finding[] | Promise<Finding[]>;
