import { Option } from "commander";
import type { Claim } from "../../scenarios/claim.ts";
import { CLAIMS } from "../../scenarios/claims/index.ts";
import { UsageError } from "../results/exit-codes.ts";
import { unknownName } from "./suggest.ts";
import { each } from "./values.ts";

/** Value of `--claims` without ids. */
const ALL = "all";

/** Makes the option `--claims`: ids of claims, or none for all of them. */
export function claimsOption(description: string): Option {
  return new Option("--claims [id...]", `${description} (without ids: all claims)`)
    .preset(ALL)
    .argParser(each(parseClaim));
}

function parseClaim(text: string): string {
  const valid = [ALL, ...CLAIMS.map(({ id }) => id)];
  if (!valid.includes(text)) throw new UsageError(unknownName("claim", text, valid));
  return text;
}

/** Returns the claims with these values of `--claims`, in the order of the list of all. */
export function chooseClaims(ids: readonly string[]): readonly Claim[] {
  return CLAIMS.filter(({ id }) => ids.includes(ALL) || ids.includes(id));
}
