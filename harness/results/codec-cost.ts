/** Cost of one codec for one kind of value, in one thread of its own process. Times are medians per message. */
export type CodecCost = {
  readonly codec: string;
  /** Kind of value: `rpc-object`, `table-200`, `blob-1mib`. */
  readonly corpus: string;
} & (
  | {
      readonly status: "measured";
      /** Size of an encoded message; for a stateful codec, of any message but the first. */
      readonly bytes: number;
      /** Size of the first message of a connection. */
      readonly firstBytes: number;
      readonly encodeNs: number;
      readonly decodeNs: number;
      /** Relative margin of error of the mean, percent, the larger of the two directions. */
      readonly marginPercent: number;
    }
  | { readonly status: "not-applicable"; readonly reason: string }
);
