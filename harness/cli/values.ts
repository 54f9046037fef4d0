/** Parsers of the values of flags: sizes, counts, times. */
import { OPTIMIZE, type Optimize } from "../../scenarios/workload.ts";
import type { WaitMode } from "../../transports/contract/capabilities.ts";
import { UsageError } from "../results/exit-codes.ts";
import { PLACEMENTS, type Placement } from "../results/model.ts";
import { unknownName } from "./suggest.ts";

const UNITS: Readonly<Record<string, number>> = { "": 1, b: 1, k: 1024, kib: 1024, m: 1024 ** 2, mib: 1024 ** 2 };
/** Largest number of clients, each a process of its own. */
export const MOST_CLIENTS = 200;
/** Largest payload of any mechanism: 64 MiB less the header. */
const MAX_PAYLOAD = 64 * 1024 ** 2;

/** Parses a size into bytes: `64`, `4KiB`, `1MiB`. @throws UsageError */
export function parseSize(text: string): number {
  const match = /^(\d+)\s*([a-z]*)$/i.exec(text.trim());
  const unit = UNITS[(match?.[2] ?? "").toLowerCase()];
  if (match === null || unit === undefined) {
    throw new UsageError(`payload "${text}" is not a size; write bytes such as 64, or 4KiB, or 1MiB`);
  }
  const bytes = Number(match[1]) * unit;
  if (bytes < 1 || bytes > MAX_PAYLOAD) {
    throw new UsageError(`payload "${text}" is out of range; it must be from 1 byte to 64MiB`);
  }
  return bytes;
}

export function parseCount(name: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text.trim()) || value < least || value > most) {
      throw new UsageError(`${name} "${text}" must be a whole number from ${least} to ${most}`);
    }
    return value;
  };
}

/** Parses a time into ms: `90s`, `2m`, `1500ms`. @throws UsageError */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text.trim());
  const factor = { ms: 1, s: 1000, m: 60_000 }[match?.[2] ?? ""];
  if (match === null || factor === undefined) {
    throw new UsageError(`--budget "${text}" is not a time; write 1500ms, 90s or 2m`);
  }
  const ms = Number(match[1]) * factor;
  if (ms < 1000 || ms > 86_400_000) throw new UsageError(`--budget "${text}" must be from 1s to 24 hours`);
  return ms;
}

const MICROS: Readonly<Record<string, number>> = { us: 1, µs: 1, μs: 1, ms: 1000, s: 1_000_000 };

/** Parses an amount of work into µs: `200us`, `1ms`. @throws UsageError */
export function parseWork(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([a-zµμ]+)$/.exec(text.trim());
  const micros = Math.round(Number(match?.[1]) * (MICROS[match?.[2] ?? ""] ?? Number.NaN));
  if (Number.isNaN(micros)) throw new UsageError(`--work "${text}" is not a time; write 200us or 1ms`);
  if (micros < 1 || micros > 1_000_000) throw new UsageError(`--work "${text}" must be from 1us to 1s`);
  return micros;
}

export function parseOptimize(text: string): Optimize {
  const found = OPTIMIZE.find((quantity) => quantity === text);
  if (found === undefined) throw new UsageError(unknownName("--optimize", text, OPTIMIZE));
  return found;
}

/** Returns a parser of percentages into shares: `3%` or `3` gives 0.03. @throws UsageError, which names `flag` */
export function parsePercent(flag: string): (text: string) => number {
  return (text) => {
    const match = /^(\d+(?:\.\d+)?)\s*%?$/.exec(text.trim());
    const value = Number(match?.[1] ?? Number.NaN);
    if (!(value >= 0.1 && value <= 50)) {
      throw new UsageError(`${flag} "${text}" is not a percentage from 0.1% to 50%; write for example 3%`);
    }
    return value / 100;
  };
}

export function parsePlacement(text: string): Placement {
  const found = PLACEMENTS.find((placement) => placement === text);
  if (found === undefined) throw new UsageError(unknownName("placement", text, PLACEMENTS));
  return found;
}

export const MODES: readonly WaitMode[] = ["event", "blocking", "polling"];

export function parseMode(text: string): WaitMode {
  const found = MODES.find((mode) => mode === text);
  if (found === undefined) throw new UsageError(unknownName("mode", text, MODES));
  return found;
}

/**
 * Parses each of several values (`--payload 64 4KiB` or `--payload 64,4KiB`) and keeps their order. No value at all is
 * an error: `--transport "$T"` with an empty T could mean everything or nothing.
 *
 * @throws UsageError
 */
export function each<Value>(
  parse: (text: string) => Value,
): (text: string, before: readonly Value[] | undefined) => readonly Value[] {
  return (text, before) => {
    const parts = text.split(",").filter((part) => part.trim() !== "");
    if (parts.length === 0) throw new UsageError(`"${text}" names nothing; give the flag a value, or leave it out`);
    return [...(before ?? []), ...parts.map(parse)];
  };
}
