/** Rules for data from other processes and files. Each returns the field, the value found and the value expected. */

/** Returns undefined for a valid value. `at` names the value in the message. */
export type Rule = (value: unknown, at: string) => string | undefined;

/** Rules for every field of a type except `type`, by which the rules were chosen. */
export type Fields<Type> = { readonly [Name in Exclude<keyof Type, "type">]-?: Rule };

const LONGEST_SHOWN = 60;
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

/** Formats a value for a message to the user: one short line of printable characters. */
export function shown(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return shorten(text);
}

/** Returns the first line of a foreign text, with control characters, which a terminal would obey, replaced. */
export function oneLine(text: string, longest: number = 300): string {
  return shorten(text.trim().split("\n", 1)[0] ?? "", longest);
}

function shorten(text: string, longest: number = LONGEST_SHOWN): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return cut.replace(UNPRINTABLE, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
}

/** Makes a rule from a condition. `expected` completes the sentence "… must be". */
export function must(expected: string, holds: (value: unknown) => boolean): Rule {
  return (value, at) => (holds(value) ? undefined : wrong(value, at, expected));
}

export const text: Rule = must("a text", (value) => typeof value === "string");
export const flag: Rule = must("true or false", (value) => typeof value === "boolean");
/** Rule for a finite number. JSON has no NaN and no infinity: both arrive as null. */
export const number: Rule = must("a number", (value) => typeof value === "number" && Number.isFinite(value));

export function integer(least: number): Rule {
  return must(
    `a whole number of ${least} or more`,
    (value) => Number.isSafeInteger(value) && (value as number) >= least,
  );
}

export function oneOf(...choices: readonly unknown[]): Rule {
  const names = choices.map((choice) => String(choice));
  const last = names.pop();
  return must(names.length === 0 ? `${last}` : `${names.join(", ")} or ${last}`, (value) => choices.includes(value));
}

export function optional(rule: Rule): Rule {
  return (value, at) => (value === undefined ? undefined : rule(value, at));
}

export function orNull(rule: Rule): Rule {
  return (value, at) => (value === null ? undefined : rule(value, at));
}

export function listOf(rule: Rule, least = 0): Rule {
  return (value, at) => {
    if (!Array.isArray(value)) return wrong(value, at, "a list");
    if (value.length < least) return `${at} is an empty list and must have an entry`;
    return firstOf(value.map((entry, index) => [`${at}[${index}]`, entry, rule]));
  };
}

/** Makes a rule for an object whose values all follow one rule. */
export function recordOf(rule: Rule): Rule {
  return (value, at) =>
    isObject(value)
      ? firstOf(Object.entries(value).map(([name, entry]) => [below(at, oneLine(name, 40)), entry, rule]))
      : wrong(value, at, "an object");
}

/** Makes a rule for an object with these fields; further fields are allowed. */
export function shape<Type>(fields: Fields<Type>): Rule {
  const rules = Object.entries<Rule>(fields);
  return (value, at) =>
    isObject(value)
      ? firstOf(rules.map(([name, rule]) => [below(at, name), value[name], rule]))
      : wrong(value, at, "an object");
}

/** Makes a rule for an object of one of several shapes, selected by the field `by`. */
export function variant(by: string, shapes: Readonly<Record<string, Rule>>): Rule {
  const known = oneOf(...Object.keys(shapes));
  return (value, at) => {
    if (!isObject(value)) return wrong(value, at, "an object");
    const kind = value[by];
    const rule = typeof kind === "string" && Object.hasOwn(shapes, kind) ? shapes[kind] : undefined;
    return rule === undefined ? known(kind, below(at, by)) : rule(value, at);
  };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Formats a defect. `at` is empty if the whole value is wrong. */
function wrong(value: unknown, at: string, expected: string): string {
  return `${at === "" ? "it" : at} is ${shown(value)} and must be ${expected}`;
}

/** Returns the path of a field; at the top of a value it is just the name. */
function below(at: string, name: string): string {
  return at === "" ? name : `${at}.${name}`;
}

function firstOf(checks: readonly (readonly [at: string, value: unknown, rule: Rule])[]): string | undefined {
  for (const [at, value, rule] of checks) {
    const defect = rule(value, at);
    if (defect !== undefined) return defect;
  }
  return undefined;
}
