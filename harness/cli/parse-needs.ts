/** Parser of `--need`: names, values and units. The needs themselves are in `scenarios/needs/`. */
import {
  contradiction,
  type Need,
  type NeedKind,
  type Requirement,
  readValue,
  requirementText,
  valueText,
} from "../../scenarios/need.ts";
import { NEEDS } from "../../scenarios/needs/index.ts";
import { UsageError } from "../results/exit-codes.ts";
import { unknownName } from "./suggest.ts";

/** Values that a need may be typed with, and an example of their form. */
interface Range {
  readonly least: number;
  readonly most: number;
  readonly example: string;
}

const RANGES: Readonly<Record<Exclude<NeedKind, "none">, Range>> = {
  count: { least: 1, most: 1_000_000, example: "a whole number such as 100" },
  bytes: { least: 1, most: 1024 ** 4, example: "a size such as 64, 4KiB or 8MiB" },
  duration: { least: 1, most: 3_600_000, example: "a time such as 250ms or 1s" },
  share: { least: 0.0001, most: 1, example: "a percentage such as 1%" },
};

/**
 * Parses a need: `ordered`, `clients`, `clients=100`. @throws UsageError that names the nearest need, or the form of
 * its value
 */
export function parseNeed(text: string): Requirement {
  const [, name = "", typed] = /^\s*([^=]*?)\s*(?:=\s*(.*?)\s*)?$/.exec(text) ?? [];
  const need = NEEDS.find((each) => each.name === name);
  if (need === undefined) {
    throw new UsageError(
      unknownName(
        "need",
        name,
        NEEDS.map((each) => each.name),
      ),
    );
  }
  return { need, value: typed === undefined ? need.standard : parseValue(need, typed) };
}

function parseValue({ name, kind, standard }: Need, text: string): number {
  if (kind === "none") throw new UsageError(`need "${name}=${text}": ${name} takes no value; write ${name}`);
  const { least, most, example } = RANGES[kind];
  const value = readValue(kind, text);
  if (value >= least && value <= most) return value;
  const range = Number.isNaN(value) ? "" : `, from ${valueText(kind, least)} to ${valueText(kind, most)}`;
  throw new UsageError(
    `need "${name}=${text}": write ${example}${range} (${name} alone means ${valueText(kind, standard)})`,
  );
}

/**
 * Combines the needs of the user and of the profile, each need once.
 *
 * @param typed needs that the user typed; their values go before those of the profile
 * @throws UsageError for a need with two values, and for two needs that contradict each other
 */
export function combineNeeds(
  typed: readonly Requirement[],
  profile: { readonly name: string; readonly needs: readonly Requirement[] },
): Requirement[] {
  const combined = new Map<Need, Requirement>();
  for (const requirement of typed) {
    const before = combined.get(requirement.need);
    if (before !== undefined && before.value !== requirement.value) {
      const both = `${requirementText(before)} and ${requirementText(requirement)}`;
      throw new UsageError(`--need has ${both}; give ${requirement.need.name} one value`);
    }
    combined.set(requirement.need, requirement);
  }
  for (const requirement of profile.needs)
    if (!combined.has(requirement.need)) combined.set(requirement.need, requirement);
  const all = [...combined.values()];
  const found = contradiction(all);
  if (found !== undefined) {
    const from = (name: string): string =>
      typed.some(({ need }) => need.name === name) ? name : `${name} (of the profile ${profile.name})`;
    const [one, other] = found.names;
    throw new UsageError(`needs ${from(one)} and ${from(other)} contradict each other: ${found.why}; leave one out`);
  }
  return all;
}
