import { CODEC_IDS, type CodecId } from "../../scenarios/benchmark.ts";
import { codecRoundTrip } from "../../scenarios/benchmarks/codec-round-trip.ts";
import { type Arm, type Cell, cellsOf } from "../coordinator/arm.ts";
import { measureCodecCosts } from "../coordinator/codec-costs.ts";
import type { Session } from "../coordinator/session.ts";
import { UsageError } from "../results/exit-codes.ts";
import type { CodecCost, Warning } from "../results/model.ts";
import { CORPUS_SEED, cannotCarry, encodedBytes } from "../rpc/codecs/values.ts";
import { unknownName } from "./suggest.ts";

/** Parses a codec: `json`, or `all` for every one. @throws UsageError */
export function parseCodec(text: string): CodecId | "all" {
  const valid = [...CODEC_IDS, "all"] as const;
  const found = valid.find((id) => id === text);
  if (found === undefined) throw new UsageError(unknownName("codec", text, valid));
  return found;
}

/** Returns the codecs asked for; all of them where their benchmark is named and none of them is. */
export function chooseCodecs(
  asked: readonly (CodecId | "all")[] | undefined,
  benchmarks: readonly string[] | undefined,
): readonly CodecId[] {
  if (asked === undefined) return benchmarks?.includes(codecRoundTrip.name) ? CODEC_IDS : [];
  return CODEC_IDS.filter((id) => asked.includes("all") || asked.includes(id));
}

/** Returns a cell for every codec and kind of value, with the encoded size; 0 where it cannot encode: see its row. */
export async function codecCells(codecs: readonly CodecId[]): Promise<readonly Cell[]> {
  const cells: Cell[] = [];
  for (const variant of codecRoundTrip.variants) {
    const { corpus } = variant;
    if (corpus === undefined) continue;
    for (const codec of codecs) {
      const payloadBytes = cannotCarry(codec, corpus) === undefined ? await encodedBytes(codec, corpus) : 0;
      cells.push({ benchmark: codecRoundTrip, variant: { ...variant, codec }, payloadBytes });
    }
  }
  return cells;
}

/** Adds an arm for each codec, so that each has its own processes, apart from the code and state of others. */
export function withCodecs(arms: readonly Arm[], codecs: readonly CodecId[], cells: readonly Cell[]): readonly Arm[] {
  const all = arms.flatMap((arm) => [arm, ...codecs.map((codec): Arm => ({ ...arm, codec }))]);
  return all.filter((arm) => cellsOf(arm, cells).length > 0);
}

export interface CodecTable {
  readonly codecs?: readonly CodecCost[];
  readonly warnings?: readonly Warning[];
}

/** Returns the table of the codecs' own cost. A failure costs the report this table and nothing else. */
export async function codecTable(
  { supervisor, place }: Session,
  codecs: readonly CodecId[],
  arms: readonly Arm[],
  timeMs: number,
): Promise<CodecTable> {
  if (codecs.length === 0) return {};
  const found = await measureCodecCosts(supervisor, place, {
    codecs,
    seed: CORPUS_SEED,
    timeMs,
    pin: arms[0]?.cpus.driverPin ?? [],
  });
  if ("codecs" in found) return found;
  const text = `the codecs could not be measured: ${found.reason}`;
  return { warnings: [{ id: "codecs-not-measured", text, where: {} }] };
}
