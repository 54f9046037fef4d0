import { CODEC_IDS } from "../../scenarios/benchmark.ts";
import type { CodecsWork, FromDriver } from "../process/messages.ts";
import { benchmarkCodecs } from "../rpc/codecs/benchmark.ts";

/** Measures codecs alone, in this process: nothing else may run in the one that measures. */
export async function measureCodecs(
  { codecs, seed, timeMs }: CodecsWork,
  send: (message: FromDriver) => void,
): Promise<void> {
  const chosen = CODEC_IDS.filter((id) => codecs.includes(id));
  send({ type: "codecs", rows: await benchmarkCodecs({ codecs: chosen, seed, timeMs }) });
}
