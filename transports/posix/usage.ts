import { libc } from "./binding.ts";
import { systemError } from "./errno.ts";

const WHO = { self: 0, children: -1, thread: 1 } as const;

/** Counters of getrusage(2). */
export interface ResourceUsage {
  readonly userMicroseconds: number;
  readonly systemMicroseconds: number;
  readonly maxResidentKilobytes: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
}

/** Reads the usage of this process, of its ended children, or of the calling thread (which Node cannot report). */
export function getrusage(who: keyof typeof WHO = "self"): ResourceUsage {
  const api = libc();
  const raw = Buffer.alloc(144);
  if (api.getrusage(WHO[who], raw) !== 0) throw systemError(api, "getrusage", who);
  const at = (index: number): number => Number(raw.readBigInt64LE(index * 8));
  return {
    userMicroseconds: at(0) * 1e6 + at(1),
    systemMicroseconds: at(2) * 1e6 + at(3),
    maxResidentKilobytes: at(4),
    minorFaults: at(8),
    majorFaults: at(9),
    voluntarySwitches: at(16),
    involuntarySwitches: at(17),
  };
}
