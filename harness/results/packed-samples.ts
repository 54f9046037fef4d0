/** Longest time that a u32 of nanoseconds holds: 4.29 s. A round trip is given up as lost before that. */
const MOST_NS = 2 ** 32 - 1;

/** Packs samples in ns as base64 of little-endian u32: a driver need not load the encoder of histograms. */
export function packSamples(samples: Float64Array): string {
  const packed = Buffer.allocUnsafe(samples.length * 4);
  for (let at = 0; at < samples.length; at++) {
    packed.writeUInt32LE(Math.min(MOST_NS, Math.max(0, Math.round(samples[at] as number))), at * 4);
  }
  return packed.toString("base64");
}

export function unpackSamples(text: string): Float64Array {
  const packed = Buffer.from(text, "base64");
  return Float64Array.from({ length: packed.length >> 2 }, (_, at) => packed.readUInt32LE(at * 4));
}
