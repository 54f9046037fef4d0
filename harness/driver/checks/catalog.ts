import { SCENARIOS } from "../../../scenarios/checks/index.ts";
import { CONFORMANCE } from "../../../transports/conformance/index.ts";
import type { Check } from "../../../transports/contract/check.ts";

/** Everything that can pass or fail, in the order in which it runs. */
export const CHECKS: readonly Check[] = [...CONFORMANCE, ...SCENARIOS];
