import type { Need } from "../need.ts";
import { EXCHANGE } from "./exchange.ts";
import { OPERATION } from "./operation.ts";
import { PLACES } from "./places.ts";

/** All needs of `--need`; README.md has them as a table. */
export const NEEDS: readonly Need[] = [...PLACES, ...EXCHANGE, ...OPERATION];
