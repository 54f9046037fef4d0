import type { Claim } from "../claim.ts";
import { GUIDE } from "./guide.ts";
import { PUBLISHED } from "./published.ts";

/** Claims that `--claims` tests, in the order in which they are shown. */
export const CLAIMS: readonly Claim[] = [...GUIDE, ...PUBLISHED];
