import type { MixPart, Workload } from "../../scenarios/workload.ts";
import { UsageError } from "../results/exit-codes.ts";
import { parseSize } from "./values.ts";

/** Values of `--payload`: sizes that are cells of their own, or the parts of one mix. */
export type Payloads = Workload["payloads"];

/** Largest number of parts of a mix: each costs every client its buffers. */
const MOST_PARTS = 16;
/** Tolerance for sums of weights, which are typed as decimal fractions. */
const ROUNDING = 1e-9;

interface Part {
  readonly bytes: number;
  /** Percent. */
  readonly weight: number | undefined;
}

/**
 * Parses `64 4KiB` or `64,4KiB` into sizes, and `64:70,4KiB:30` into a mix, adding to what came before.
 * {@link checkPayloads} examines the sum of the weights when all of them are there.
 *
 * @throws UsageError
 */
export function parsePayload(text: string, before: Payloads | undefined): Payloads {
  const texts = text.split(",").filter((part) => part.trim() !== "");
  if (texts.length === 0) throw new UsageError(`"${text}" names nothing; give the flag a value, or leave it out`);
  const parts = texts.map(parsePart);
  const isMix = parts.some(({ weight }) => weight !== undefined);
  const earlier = before ?? (isMix ? { mix: [] } : []);
  if (parts.some(({ weight }) => (weight !== undefined) !== isMix) || "mix" in earlier !== isMix) {
    throw new UsageError(
      `payload "${text}": some sizes have a weight and others none; write all of them as 64:70,4KiB:30, or none`,
    );
  }
  if (!("mix" in earlier)) return [...earlier, ...parts.map(({ bytes }) => bytes)];
  return { mix: [...earlier.mix, ...parts.map(({ bytes, weight = 0 }) => ({ bytes, share: weight / 100 }))] };
}

function parsePart(text: string): Part {
  const [size = "", weight, ...more] = text.split(":");
  if (weight === undefined) return { bytes: parseSize(size), weight };
  const percent = /^\s*(\d+(?:\.\d+)?)\s*%?\s*$/.exec(weight)?.[1];
  if (percent === undefined || Number(percent) === 0 || more.length > 0) {
    throw new UsageError(`payload "${text}" has no weight in percent after its colon; write for example 4KiB:25`);
  }
  return { bytes: parseSize(size), weight: Number(percent) };
}

/** @throws UsageError where the weights of a mix do not add up to 100 %, or name a size twice */
export function checkPayloads(payloads: Payloads): Payloads {
  if (!("mix" in payloads)) return payloads;
  const { mix } = payloads;
  const text = mix.map(({ bytes, share }) => `${bytes}:${percentOf(share)}`).join(",");
  const twice = mix.find(({ bytes }, index) => mix.findIndex((part) => part.bytes === bytes) !== index);
  if (twice !== undefined) {
    throw new UsageError(
      `payload "${text}" names the size ${twice.bytes} twice; give it once, with both weights added`,
    );
  }
  const total = mix.reduce((sum, { share }) => sum + share, 0);
  if (Math.abs(total - 1) > ROUNDING) {
    throw new UsageError(`the weights of payload "${text}" add up to ${percentOf(total)} % and must add up to 100 %`);
  }
  if (mix.length > MOST_PARTS) throw new UsageError(`a mix has at most ${MOST_PARTS} sizes, not ${mix.length}`);
  return payloads;
}

function percentOf(share: number): number {
  return Math.round(share * 1e8) / 1e6;
}

/** Returns the sizes of the requests, each once. */
export function sizesOf(payloads: Payloads): readonly number[] {
  return [...new Set("mix" in payloads ? payloads.mix.map(({ bytes }) => bytes) : payloads)];
}

/** Returns the size that a row of a mix is filed under: the mean, rounded. */
export function meanBytes(mix: readonly MixPart[]): number {
  return Math.round(mix.reduce((sum, { bytes, share }) => sum + bytes * share, 0));
}
