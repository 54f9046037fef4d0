import type { Check } from "../../../scenarios/check.ts";
import { NAMED_SCENARIOS, SCENARIOS } from "../../../scenarios/checks/index.ts";
import { CONFORMANCE } from "../../../scenarios/conformance/index.ts";

/** All checks, in the order in which they run. */
export const CHECKS: readonly Check[] = [...CONFORMANCE, ...SCENARIOS];

/** All checks, and those that run only when they are named. */
export const EVERY_CHECK: readonly Check[] = [...CHECKS, ...NAMED_SCENARIOS];
