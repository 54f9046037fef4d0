import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CODEC_IDS } from "../../scenarios/benchmark.ts";
import type { Profile } from "../../scenarios/profile.ts";
import { PROFILES } from "../../scenarios/profiles/index.ts";
import { type LoadPoint, type MixPart, OPTIMIZE, type Workload } from "../../scenarios/workload.ts";
import { inTime } from "../process/in-time.ts";
import {
  type Fields,
  integer,
  isObject,
  listOf,
  must,
  oneLine,
  oneOf,
  optional,
  orNull,
  type Rule,
  shape,
  text,
} from "../process/rules.ts";
import { UsageError } from "../results/exit-codes.ts";
import { importDefault, withRemedy } from "./import-remedy.ts";
import { LANGUAGES } from "./peers.ts";
import { unknownName } from "./suggest.ts";
import { MOST_CLIENTS } from "./values.ts";

const MODULE = /\.[cm]?[jt]s$/;
const LOAD_LIMIT_MS = 10_000;
/** Tolerance for sums of shares, which are typed as decimal fractions. */
const ROUNDING = 1e-9;

const clients = must(
  `a whole number from 1 to ${MOST_CLIENTS}`,
  (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST_CLIENTS,
);
const above0 = must("a number above 0", isAbove0);
const rate = must("a number above 0, or null for no rate", (value) => value === null || isAbove0(value));
const atLeast0 = must("a number of 0 or more", (value) => typeof value === "number" && value >= 0);
const sizes = listOf(integer(1), 1);
const PART: Fields<MixPart> = { bytes: integer(1), share: above0 };
const parts = listOf(shape<MixPart>(PART), 1);

const mix: Rule = (value, at) => {
  const defect = parts(value, at);
  if (defect !== undefined) return defect;
  const total = (value as MixPart[]).reduce((sum, { share }) => sum + share, 0);
  return Math.abs(total - 1) < ROUNDING ? undefined : `the shares of ${at} add up to ${total} and must add up to 1`;
};

const LOAD: Fields<LoadPoint> = { clients, ratePerSecond: rate };
const WORKLOAD: Fields<Omit<Workload, "recorded">> = {
  clients: optional(clients),
  ratePerSecond: optional(rate),
  otherLoads: optional(listOf(shape<LoadPoint>(LOAD))),
  payloads: optional((value, at) => (isObject(value) ? mix(value["mix"], `${at}.mix`) : sizes(value, at))),
  workMicros: optional(atLeast0),
  codec: optional(orNull(oneOf(...CODEC_IDS))),
  peer: optional(oneOf(...LANGUAGES)),
  optimize: optional(oneOf(...OPTIMIZE)),
};
const PROFILE: Fields<Profile> = {
  name: text,
  why: text,
  needs: listOf(text),
  workload: shape<Omit<Workload, "recorded">>(WORKLOAD),
  typicalWorkMicros: optional(atLeast0),
  checks: listOf(text),
};
const profileRule = shape<Profile>(PROFILE);

function isAbove0(value: unknown): boolean {
  return typeof value === "number" && value > 0 && Number.isFinite(value);
}

/** Returns the first field that is wrong or that no profile has; undefined when the value is a profile. */
export function profileDefect(value: unknown): string | undefined {
  if (!isObject(value)) return "its default export must be an object: a profile";
  return (
    unknownField(value, "field", PROFILE) ??
    (isObject(value["workload"]) ? unknownField(value["workload"], "field of workload", WORKLOAD) : undefined) ??
    profileRule(value, "")
  );
}

function unknownField(value: Readonly<Record<string, unknown>>, what: string, fields: object): string | undefined {
  const known = Object.keys(fields);
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  return unknown === undefined ? undefined : unknownName(what, oneLine(unknown), known);
}

/** Finds a profile by its name, or in a module that exports one by default. @throws UsageError */
export async function findProfile(name: string): Promise<Profile> {
  const found = PROFILES.find((profile) => profile.name === name);
  if (found !== undefined) return found;
  if (!MODULE.test(name)) {
    const names = PROFILES.map((profile) => profile.name);
    throw new UsageError(`${unknownName("profile", name, names)}; or a file such as ./my-profile.ts`);
  }
  if (!existsSync(name)) throw new UsageError(`profile "${name}" does not exist`);
  const value = await load(name);
  const defect = profileDefect(value);
  if (defect !== undefined) throw new UsageError(`profile "${name}": ${defect}`);
  return value as Profile;
}

async function load(path: string): Promise<unknown> {
  try {
    return await inTime("its import", LOAD_LIMIT_MS, () => importDefault(pathToFileURL(resolve(path)).href));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`profile "${path}" cannot be loaded: ${withRemedy(oneLine(why), path)}`);
  }
}
