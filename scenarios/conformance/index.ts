import type { Check } from "../check.ts";
import { hasMethods } from "../kit/conditions.ts";
import { backpressure } from "./backpressure.ts";
import { blocking } from "./blocking.ts";
import { claims } from "./claims.ts";
import { delivery } from "./delivery.ts";
import { exchange } from "./exchange.ts";
import { failure } from "./failure.ts";
import { launch } from "./launch.ts";
import { leaving } from "./leaving.ts";
import { lifecycle } from "./lifecycle.ts";
import { residue } from "./residue.ts";
import { security } from "./security.ts";

/** All checks of the contract. Their files omit `conformance/` from the ids; it is added here. */
export const CONFORMANCE: readonly Check[] = [
  ...claims,
  ...exchange,
  ...lifecycle,
  ...delivery,
  ...backpressure,
  ...failure,
  ...leaving,
  ...blocking,
  ...launch,
  ...residue,
  ...security,
].map((check) => ({ ...check, id: `conformance/${check.id}`, needs: [hasMethods, ...check.needs] }));
