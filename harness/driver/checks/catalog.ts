import type { Check } from "../../../scenarios/check.ts";
import { SCENARIOS } from "../../../scenarios/checks/index.ts";
import { CONFORMANCE } from "../../../scenarios/conformance/index.ts";

/** Everything that can pass or fail, in the order in which it runs. */
export const CHECKS: readonly Check[] = [...CONFORMANCE, ...SCENARIOS];
