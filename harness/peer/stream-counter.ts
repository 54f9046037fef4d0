import type { StreamTotals } from "../../scenarios/check.ts";
import { HEADER_BYTES, readId, readMethod } from "../../transports/contract/frame.ts";
import type { StreamReport } from "../process/messages.ts";
import { STREAM_LAST, STREAM_TIMED } from "../rpc/message.ts";
import { arrivedIntact, checksumHolds, FULL_CHECK_BYTES, LARGE_EVERY } from "../rpc/verify.ts";

/** Time without a message after which a stream is over, ms, because its last message was lost. */
export const STREAM_QUIET_MS = 1000;
/** Largest number of missing messages that are remembered, to limit memory; more of them prove nothing new. */
const MAX_MISSING = 100_000;
/** Maximum number of arrival times that are kept for a stream. */
const MAX_TIMED = 16_384;

const NOTHING: StreamTotals = { received: 0, duplicated: 0, reordered: 0, corrupted: 0 };

/**
 * Verifies one-way messages where they arrive: the bytes of each, and that every sequence number comes once and in
 * order. The clock for the throughput stops here, at the receiver, when the message marked as last arrives.
 */
export class StreamCounter {
  #received = 0;
  #duplicated = 0;
  #reordered = 0;
  #corrupted = 0;
  #expected = 0;
  #firstNs = 0n;
  #lastNs = 0n;
  /** Skipped sequence numbers. If one comes later, it counts as reordered; any other old number is a duplicate. */
  readonly #missing = new Set<number>();
  /** Totals of ended streams, for `takeTotals`. */
  #past: StreamTotals = NOTHING;
  /** Arrival time of each sequence number, 0 if it did not arrive; only for streams that ask for it. */
  #arrivalsNs: BigUint64Array | undefined;
  #arrived = 0;

  get active(): boolean {
    return this.#received + this.#corrupted > 0;
  }

  /** Counts a message; returns `true` for the one marked as last, after which `take` is due. */
  count(frame: Uint8Array): boolean {
    if (!arrivedIntact(frame)) {
      this.#corrupted++;
      return false;
    }
    if (this.#received++ === 0) this.#firstNs = process.hrtime.bigint();
    const sequence = readId(frame);
    if (sequence === this.#expected) this.#expected++;
    else this.#outOfTurn(sequence);
    const method = readMethod(frame);
    if (method === STREAM_LAST) {
      this.#lastNs = process.hrtime.bigint();
      if (this.#arrivalsNs !== undefined) this.#stamp(sequence, this.#lastNs);
      return true;
    }
    if (method === STREAM_TIMED) this.#stamp(sequence, process.hrtime.bigint());
    const large = frame.length > HEADER_BYTES + FULL_CHECK_BYTES;
    if (large && sequence % LARGE_EVERY === 0 && !checksumHolds(frame)) this.#corrupted++;
    return false;
  }

  #stamp(sequence: number, nowNs: bigint): void {
    this.#arrivalsNs ??= new BigUint64Array(MAX_TIMED);
    if (sequence >= MAX_TIMED) return;
    this.#arrivalsNs[sequence] = nowNs;
    this.#arrived = Math.max(this.#arrived, sequence + 1);
  }

  #outOfTurn(sequence: number): void {
    if (sequence > this.#expected) {
      for (let gap = this.#expected; gap < sequence && this.#missing.size < MAX_MISSING; gap++) this.#missing.add(gap);
      this.#expected = sequence + 1;
    } else if (this.#missing.delete(sequence)) {
      this.#reordered++;
    } else {
      this.#duplicated++;
    }
  }

  /** Returns the counts of all streams since the last `takeTotals`; the next message begins a new stream. */
  takeTotals(): StreamTotals {
    this.take();
    const totals = this.#past;
    this.#past = NOTHING;
    return totals;
  }

  /** Returns the counts since the last `take`; the next message begins a new stream. */
  take(): StreamReport {
    this.#past = {
      received: this.#past.received + this.#received,
      duplicated: this.#past.duplicated + this.#duplicated,
      reordered: this.#past.reordered + this.#reordered,
      corrupted: this.#past.corrupted + this.#corrupted,
    };
    const report: StreamReport = {
      type: "stream-report",
      received: this.#received,
      duplicated: this.#duplicated,
      reordered: this.#reordered,
      corrupted: this.#corrupted,
      firstNs: String(this.#firstNs),
      lastNs: String(this.#lastNs === 0n ? process.hrtime.bigint() : this.#lastNs),
      ...(this.#arrivalsNs === undefined ? {} : { arrivalsNs: encode(this.#arrivalsNs.subarray(0, this.#arrived)) }),
    };
    this.#arrivalsNs = undefined;
    this.#arrived = 0;
    this.#received = 0;
    this.#duplicated = 0;
    this.#reordered = 0;
    this.#corrupted = 0;
    this.#expected = 0;
    this.#lastNs = 0n;
    this.#missing.clear();
    return report;
  }
}

function encode(values: BigUint64Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");
}
