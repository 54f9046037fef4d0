import type { Capabilities } from "../transports/contract/capabilities.ts";

/** Kinds of values: a number of things, bytes, milliseconds, a share from 0 to 1. `none`: the need has no value. */
export type NeedKind = "none" | "count" | "bytes" | "duration" | "share";

/** A property that a mechanism must have, as data. Capabilities exclude candidates before a run, checks during it. */
export interface Need {
  /** Name behind `--need`. */
  readonly name: string;
  readonly kind: NeedKind;
  /** Value if the user gives none, in the unit of `kind`; 0 for `none`. */
  readonly standard: number;
  /** Consequence for a program if the mechanism does not have the property. */
  readonly why: string;
  /** Requirement in one sentence, without a full stop; its subject is the mechanism. */
  sentence(value: number): string;
  /** Returns why a mechanism with these capabilities does not qualify; undefined if it does. */
  excludes(capabilities: Capabilities, value: number): string | undefined;
  /** True for mechanisms that are made for this need: they are measured in addition to the shortlist. */
  madeFor?(capabilities: Capabilities): boolean;
  /** Ids of the checks that can refute this property. */
  readonly checks: readonly string[];
  /** Figure of a check that must not exceed the value of the need. */
  readonly figure?: NeedFigure;
  /** Largest value that each check examines, in the unit of `kind`; `checks` has the smaller ones first. */
  readonly examinedUpTo?: Readonly<Record<string, number>>;
  /** Names of needs that no mechanism can meet together with this one, each with the reason. */
  readonly contradicts?: Readonly<Record<string, string>>;
}

export interface NeedFigure {
  readonly check: string;
  readonly note: string;
  /** Factor that converts the unit of the note to the unit of the need. */
  readonly scale: number;
}

/** A requested need with its value. */
export interface Requirement {
  readonly need: Need;
  readonly value: number;
}

/** Returns the requirement as the user types it: `clients=100`, `message=8MiB`, `ordered`. */
export function requirementText({ need, value }: Requirement): string {
  return need.kind === "none" ? need.name : `${need.name}=${valueText(need.kind, value)}`;
}

/** Reads what `requirementText` wrote; undefined for a need that is not among these. */
export function requirementOf(text: string, needs: readonly Need[]): Requirement | undefined {
  const [name, typed = ""] = text.split("=");
  const need = needs.find((each) => each.name === name);
  if (need === undefined) return undefined;
  const value = readValue(need.kind, typed);
  return { need, value: Number.isNaN(value) ? need.standard : value };
}

const KIB = 1024;
/** Form of the values of a kind, and the factor of each unit to that of the kind. */
const FORMS: Readonly<
  Record<Exclude<NeedKind, "none">, { readonly pattern: RegExp; readonly units: Readonly<Record<string, number>> }>
> = {
  count: { pattern: /^(\d+)()$/, units: { "": 1 } },
  bytes: {
    pattern: /^(\d+)([a-z]*)$/i,
    units: { "": 1, b: 1, k: KIB, kib: KIB, m: KIB ** 2, mib: KIB ** 2, g: KIB ** 3, gib: KIB ** 3 },
  },
  duration: { pattern: /^(\d+(?:\.\d+)?)([a-z]+)$/, units: { ms: 1, s: 1000, m: 60_000 } },
  share: { pattern: /^(\d+(?:\.\d+)?)(%)$/, units: { "%": 0.01 } },
};

/** Reads a value with its unit, as the user types it; NaN where it is no value of this kind. */
export function readValue(kind: NeedKind, text: string): number {
  if (kind === "none") return Number.NaN;
  const { pattern, units } = FORMS[kind];
  const [, number = "", unit = ""] = pattern.exec(text) ?? [];
  return number === "" ? Number.NaN : Number(number) * (units[unit.toLowerCase()] ?? Number.NaN);
}

/** Returns a value with its unit, as the user types it. */
export function valueText(kind: NeedKind, value: number): string {
  switch (kind) {
    case "none":
      return "";
    case "count":
      return String(value);
    case "bytes":
      return bytesText(value);
    case "duration":
      return value % 1000 === 0 ? `${value / 1000}s` : `${value}ms`;
    case "share":
      return `${Math.round(value * 1e6) / 1e4}%`;
  }
}

const UNITS = [
  ["MiB", KIB ** 2],
  ["KiB", KIB],
] as const;

function bytesText(bytes: number): string {
  const [unit, size] = UNITS.find(([, size]) => bytes >= size && bytes % size === 0) ?? ["B", 1];
  return `${bytes / size}${unit}`;
}

/**
 * Returns the checks that can refute the requirement: all of them, but of checks for growing values only those needed
 * for its value.
 */
export function checksOf({ need: { checks, examinedUpTo = {} }, value }: Requirement): readonly string[] {
  return checks.filter((_, index) => {
    const examined = examinedUpTo[checks[index - 1] ?? ""];
    return examined === undefined || examined < value;
  });
}

/** Returns the first two requirements that cannot be met together, with the reason; undefined if there are none. */
export function contradiction(
  requirements: readonly Requirement[],
): { readonly names: readonly [string, string]; readonly why: string } | undefined {
  for (const { need } of requirements) {
    for (const { need: other } of requirements) {
      const why = need.contradicts?.[other.name];
      if (why !== undefined) return { names: [need.name, other.name], why };
    }
  }
  return undefined;
}
