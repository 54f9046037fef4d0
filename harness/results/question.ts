import type { OpenNeed } from "../../scenarios/qualify.ts";
import type { Workload } from "../../scenarios/workload.ts";

/** Question of a comparison: the needs that chose candidates, as they are typed, and their origin. */
export interface Question {
  readonly needs: readonly string[];
  /** Name of the profile; for a user's own profile, the one that its file states. */
  readonly profile: string;
  readonly workload: Workload;
  /** Ids of the checks that ran for the question besides the quick ones. */
  readonly checks: readonly string[];
}

/** Standing of a transport as a candidate for the question. */
export type CandidateStanding = {
  readonly transport: string;
} & (
  | {
      readonly status: "in";
      /** `nearest`: made for a need, or next in the list where fewer than six of the shortlist qualify. */
      readonly why: "named" | "shortlist" | "nearest";
      /** Needs that checks of this run have shown. */
      readonly shown: readonly string[];
      /** Needs that it meets by its record only, and why no check has shown them. */
      readonly open: readonly OpenNeed[];
    }
  /** The mechanism cannot: by its record, or by what a check of this run found. */
  | { readonly status: "excluded"; readonly need: string; readonly reason: string }
  /** This machine cannot run it. */
  | { readonly status: "unavailable"; readonly reason: string }
  /** It qualifies, but this run measures others. */
  | { readonly status: "not-measured"; readonly reason: string }
);
