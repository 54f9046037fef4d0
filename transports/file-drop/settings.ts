import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import type { Address } from "../contract/transport.ts";

/** Options of an address about its files. Both sides read them from the address, so they agree. */
export interface Settings {
  readonly transport: string;
  /** True: force every file and folder entry to disk before `send` returns. Takes milliseconds, not microseconds. */
  readonly fsync: boolean;
  /** True: files hold only the bytes of the message, without a JSON envelope. */
  readonly raw: boolean;
  /** Age without a sign of life at which the files of a client, and temporary files, are removed, ms. */
  readonly ttlMs: number;
  /** Interval of polling, ms; undefined for `fs.watch`. */
  readonly pollMs: number | undefined;
  readonly maxMessageBytes: number;
  /** For tests: ignore every event, so that only the periodic look is left. */
  readonly dropEvents: boolean;
}

const DEFAULT_TTL_MS = 60_000;
const DEFAULT_POLL_MS = 5;

export function settingsOf(address: Address, polls: boolean): Settings {
  const options = address.options ?? {};
  const { fsync, raw, dropEvents } = options;
  const number = (name: string, otherwise: number): number => {
    const value = options[name];
    return typeof value === "number" && value > 0 ? value : otherwise;
  };
  return {
    transport: address.transport,
    fsync: fsync === true,
    raw: raw === true,
    ttlMs: number("ttlMs", DEFAULT_TTL_MS),
    pollMs: polls ? number("pollMs", DEFAULT_POLL_MS) : undefined,
    maxMessageBytes: number("maxMessageBytes", UNBOUNDED_MESSAGE_BYTES),
    dropEvents: dropEvents === true,
  };
}
