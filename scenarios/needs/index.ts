import type { Need } from "../need.ts";
import { EXCHANGE } from "./exchange.ts";
import { OPERATION } from "./operation.ts";
import { PLACES } from "./places.ts";

/** Everything that `--need` takes; README.md has it as a table. */
export const NEEDS: readonly Need[] = [...PLACES, ...EXCHANGE, ...OPERATION];
