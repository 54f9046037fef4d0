/** One thing `doctor` looked at. */
export interface Finding {
  readonly topic: string;
  /** `ok`: nothing to do. `note`: good to know. `warning`: results or a mechanism suffer. `problem`: something does not work. */
  readonly status: "ok" | "note" | "warning" | "problem";
  /** What was found, with its figures. */
  readonly found: string;
  /** What it means for whoever runs or reads a comparison; absent when there is nothing to say. */
  readonly meaning?: string;
  /** No run can work on a machine like this. */
  readonly stopsRuns?: true;
  /** The command that changes it. */
  readonly fix?: string;
}

/** A probe looks at one topic and never throws for what the system does not have. */
export type Probe = () => Finding[] | Promise<Finding[]>;
