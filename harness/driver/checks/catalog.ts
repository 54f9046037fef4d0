import type { Check } from "../../../scenarios/check.ts";
import { SCENARIOS } from "../../../scenarios/checks/index.ts";
import { CONFORMANCE } from "../../../scenarios/conformance/index.ts";

/** All checks, in the order in which they run. */
export const CHECKS: readonly Check[] = [...CONFORMANCE, ...SCENARIOS];
