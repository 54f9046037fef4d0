import type { WaitMode } from "../../transports/contract/capabilities.ts";
import type { CodecId, CorpusId } from "../benchmark.ts";
import type { CheckPart, ClaimedRange, RatioPart } from "../claim.ts";
import type { CellMetric, CellName } from "../evidence.ts";

const SMALL_BYTES = 64;

/** Returns the cell of a mechanism and a benchmark, with messages of 64 B unless another size is given. */
export function cell(
  transport: string,
  mode: WaitMode,
  benchmark: string,
  { payloadBytes = SMALL_BYTES, ...rest }: Partial<Pick<CellName, "payloadBytes" | "peer" | "placement">> = {},
): CellName {
  return { transport, mode, peer: "node", benchmark, payloadBytes, ...rest };
}

/** Returns the cell of round trips of 64 B, or of the given size. */
export const roundTrip = (transport: string, mode: WaitMode = "event", rest: Parameters<typeof cell>[3] = {}) =>
  cell(transport, mode, "round-trip", rest);

/** Returns the cell of round trips in which both ends convert the values of a corpus with a codec. */
export const valuesOver = (transport: string, codec: CodecId, corpus: CorpusId): CellName => ({
  ...cell(transport, "event", "codec-round-trip", { payloadBytes: 0 }),
  codec,
  corpus,
});

/**
 * Returns a part that compares two cells.
 *
 * @param where words that distinguish this part from the others of its claim
 * @param claimed range of the figure of `one`, as a multiple of that of `other`
 */
export function ratio(
  where: string,
  one: CellName,
  other: CellName,
  claimed: ClaimedRange,
  metric: CellMetric = "p50",
): RatioPart {
  return { kind: "ratio", where, one, other, metric, claimed };
}

/** Returns two parts with the same comparison: on two CPUs, and with both ends on one CPU. */
export function onTwoAndOne(
  one: CellName,
  other: CellName,
  claimed: ClaimedRange,
  metric: CellMetric = "p50",
): readonly [RatioPart, RatioPart] {
  const at = (where: string, placement: "same-cpu" | "two-cpus"): RatioPart =>
    ratio(where, { ...one, placement }, { ...other, placement }, claimed, metric);
  return [at("two CPUs", "two-cpus"), at("one CPU", "same-cpu")];
}

/** Returns a part that holds if the transport passes the check, with a server in the language `peer`. */
export function passes(transport: string, check: string, peer = "node"): CheckPart {
  return { kind: "check", where: `${check} of ${transport}`, transport, check, peer };
}
