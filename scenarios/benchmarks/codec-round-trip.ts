import type { Benchmark } from "../benchmark.ts";

export const codecRoundTrip: Benchmark = {
  name: "codec-round-trip",
  model: "codec-round-trip",
  title: "Round trip of a value, conversions included",
  analysis:
    "The driver encodes a value and sends it, the peer decodes it and encodes it afresh, the driver decodes the reply and compares the " +
    "value: the round trip includes four conversions. Rows of one kind of value are comparable across codecs and transports, although " +
    "their encoded sizes differ. Where the codec table shows conversions of the same order as the round trip, another " +
    "mechanism will not help: another codec will.",
  pattern: "request-reply",
  standard: false,
  variants: [{ corpus: "rpc-object" }, { corpus: "table-200" }, { corpus: "blob-1mib" }],
  weight: 1,
};
