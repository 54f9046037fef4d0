import type { CComparison, Interval } from "./model.ts";

/** Text for a number that does not exist: a missing value is never a zero. */
export const ABSENT = "–";

/** Unit of durations, with its length in ns. */
export interface DurationUnit {
  readonly name: "ns" | "µs" | "ms" | "s";
  readonly ns: number;
}

const DURATION_UNITS: readonly [DurationUnit, ...DurationUnit[]] = [
  { name: "s", ns: 1e9 },
  { name: "ms", ns: 1e6 },
  { name: "µs", ns: 1e3 },
  { name: "ns", ns: 1 },
];

/** Largest number of decimals that `toFixed` takes. */
const MOST_DECIMALS = 100;

const QUANTITY_UNITS = [
  ["G", 1e9],
  ["M", 1e6],
  ["k", 1e3],
] as const;

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** Formats three significant digits without an exponent: `4.21`, `19.2`, `842`, `12300`. */
export function significant(value: number, digits = 3): string {
  if (value === 0) return "0";
  const rounded = Number(value.toPrecision(digits));
  const magnitude = Math.floor(Math.log10(Math.abs(rounded)));
  return rounded.toFixed(Math.min(MOST_DECIMALS, Math.max(0, digits - 1 - magnitude)));
}

/** Returns the unit in which `ns`, once rounded, is at least 1: 999.6 ns reads 1.00 µs, not 1000 ns. */
export function durationUnit(ns: number): DurationUnit {
  const rounded = Math.abs(Number(ns.toPrecision(3)));
  return DURATION_UNITS.find((unit) => rounded >= unit.ns) ?? { name: "ns", ns: 1 };
}

/** Formats a duration: `19.2 µs`; `–` for what was not measured. */
export function duration(ns: number | null | undefined): string {
  if (ns === null || ns === undefined || !Number.isFinite(ns)) return ABSENT;
  const unit = durationUnit(ns);
  return `${significant(ns / unit.ns)} ${unit.name}`;
}

/** Formats an interval in the unit that `duration(ns)` uses, to stand beside it: `18.9–19.8`; `–` without one. */
export function durationRange(interval: Interval | null | undefined, ns: number): string {
  if (!interval) return ABSENT;
  const unit = durationUnit(ns);
  return `${significant(interval[0] / unit.ns)}–${significant(interval[1] / unit.ns)}`;
}

/** Formats a range of durations for a sentence, with two digits: `120 to 200 µs`, `900 µs to 1.6 ms`. */
export function durationSpan(fromNs: number, toNs: number): string {
  const [from, to] = [durationUnit(fromNs), durationUnit(toNs)];
  const first = significant(fromNs / from.ns, 2);
  return `${from.name === to.name ? first : `${first} ${from.name}`} to ${significant(toNs / to.ns, 2)} ${to.name}`;
}

/** Formats a size, binary everywhere in ipcmark: `4 KiB`, `1.5 MiB`. */
export function bytes(count: number | null | undefined): string {
  if (count === null || count === undefined || !Number.isFinite(count)) return ABSENT;
  let value = count;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number.isInteger(value) ? value : significant(value)} ${BYTE_UNITS[unit]}`;
}

/** Formats sizes with their shares of all requests: `70 % 64 B, 25 % 4 KiB, 5 % 1 MiB`. */
export function mixText(mix: readonly { readonly bytes: number; readonly share: number }[]): string {
  return mix.map(({ bytes: size, share }) => `${Math.round(share * 1000) / 10} % ${bytes(size)}`).join(", ");
}

/** Names recorded messages: `the 1,000 messages of calls.ndjson`. */
export function recordedText({ name, count: messages }: { readonly name: string; readonly count: number }): string {
  return messages === 1 ? `the message of ${name}` : `the ${messages} messages of ${name}`;
}

/** Row, or a part of one, that states its sizes. */
interface Sized {
  readonly payloadBytes: number;
  readonly mix?: unknown;
  readonly recorded?: { readonly name: string };
}

/** Names the size of a row: `4 KiB`; `the mix` where sizes take turns, since their mean is the size of none. */
export function sizeName(row: Sized): string {
  if (row.recorded !== undefined) return row.recorded.name;
  return row.mix === undefined ? bytes(row.payloadBytes) : "the mix";
}

/** Formats a quantity with a decimal prefix: `51.2 k`, `1.20 M`. The caller names what is counted. */
export function quantity(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return ABSENT;
  const [prefix, size] = quantityUnit(value);
  return `${significant(value / size)} ${prefix}`.trimEnd();
}

/** Formats an interval with the prefix that `quantity(value)` uses, to stand beside it: `48.0–53.2`, or `–`. */
export function quantityRange(interval: Interval | null | undefined, value: number): string {
  const [, size] = quantityUnit(value);
  return interval ? `${significant(interval[0] / size)}–${significant(interval[1] / size)}` : ABSENT;
}

function quantityUnit(value: number): readonly [prefix: string, size: number] {
  const rounded = Math.abs(Number(value.toPrecision(3)));
  return QUANTITY_UNITS.find(([, size]) => rounded >= size) ?? ["", 1];
}

/** Formats a ratio: `1.00×`, `12.3×`. */
export function ratio(value: number | null | undefined): string {
  return value === null || value === undefined || !Number.isFinite(value) ? ABSENT : `${significant(value)}×`;
}

/** Formats the interval of a ratio: `1.04–1.12`; `–` without one. */
export function ratioRange(interval: Interval | null | undefined): string {
  return interval ? `${significant(interval[0])}–${significant(interval[1])}` : ABSENT;
}

/** Smallest credible ratio to plain C, which makes the same system calls and does less besides. */
export const LEAST_C_RATIO = 0.9;

/** Returns why a ratio to plain C is doubtful: its interval lies below 1, or it may be chance; else undefined. */
export function cDoubt({ ratio, interval }: CComparison): "told apart" | "chance" | undefined {
  if (ratio >= LEAST_C_RATIO) return undefined;
  return interval && interval[1] < 1 ? "told apart" : "chance";
}

/** Formats a ratio to plain C: `3.17×`; `(0.74×)` where doubtful, `(0.86×)?` where that may be chance. */
export function cRatio(found: CComparison | undefined): string {
  if (found === undefined) return ABSENT;
  const doubt = cDoubt(found);
  return doubt === undefined ? ratio(found.ratio) : `(${ratio(found.ratio)})${doubt === "chance" ? "?" : ""}`;
}

/** Formats a share of 0 to 1: `4.2 %`. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined || !Number.isFinite(share) ? ABSENT : `${(share * 100).toFixed(1)} %`;
}

/**
 * Characters that a terminal may obey and a reader cannot see: controls, formats (those that turn the direction of
 * writing among them), line separators and halves of surrogate pairs.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Escapes what a terminal could obey: `\x1b`, `\n`, `\u202e`. Names, reasons and errors come from anywhere. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, escapeOf);
}

/** Escapes like {@link visible}, but keeps the lines of a text. */
export function visibleLines(text: string): string {
  return text.replace(INVISIBLE, (character) => (character === "\n" ? character : escapeOf(character)));
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code > 0xffff) return `\\u{${code.toString(16)}}`;
  const hex = code.toString(16);
  return NAMED[character] ?? (code > 0xff ? `\\u${hex.padStart(4, "0")}` : `\\x${hex.padStart(2, "0")}`);
}

/** Returns the first line without anything invisible: error texts of libraries may hold escape codes. */
export function oneLine(text: string): string {
  const first = text.split(/[\r\n]/).find((line) => line.trim() !== "") ?? "";
  return visible(first.trim());
}

/** Formats a count with its noun: `3 transports`, `1 transport`. */
export function count(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? "" : "s"}`;
}
