import type { Rechecked, RecheckedAgainst } from "./model.ts";
import { anyOf, list, model, text } from "./schema-parts.ts";

const OUTCOME = anyOf<Rechecked["outcome"]>({ holds: true, "other-wins": true, "cannot-tell": true });

/** Result of a recheck in a report, as JSON Schema. */
export const RECHECK = model<Rechecked>()(
  { chosen: text, outcome: OUTCOME, conditions: list(text), sentence: text },
  { winner: text, against: list(model<RecheckedAgainst>()({ rival: text, outcome: OUTCOME }, {})) },
);
