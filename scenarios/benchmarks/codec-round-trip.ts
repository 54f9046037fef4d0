import type { Benchmark } from "../benchmark.ts";

export const codecRoundTrip: Benchmark = {
  name: "codec-round-trip",
  model: "codec-round-trip",
  title: "Round trip of a value, conversions included",
  analysis:
    "The driver encodes a value and sends it, the peer decodes it and encodes it again, the driver decodes the reply " +
    "and compares it: a round trip includes four conversions. Rows of one kind of value are comparable across " +
    "codecs and transports, although their encoded sizes differ. Where conversions take as long as the round trip " +
    "(see the codec table), choose another codec, not another mechanism.",
  pattern: "request-reply",
  standard: false,
  variants: [{ corpus: "rpc-object" }, { corpus: "table-200" }, { corpus: "blob-1mib" }],
  weight: 1,
};
