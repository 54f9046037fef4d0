import { bytes, cDoubt, duration, significant } from "./format.ts";
import { hasNodeClient } from "./languages.ts";
import type { CComparison, Measurement, Warning } from "./model.ts";
import { compareRounds, roundsOf } from "./ranking.ts";

/** Mechanism by its name in the C program, with the way its ends wait. */
export interface CKind {
  readonly name: string;
  readonly mode: Measurement["mode"];
  /** Ids of transports that use this mechanism underneath, or all below a prefix that ends in `/`. */
  readonly of: readonly string[];
}

export const C_KINDS: readonly CKind[] = [
  {
    name: "unix",
    mode: "blocking",
    of: [
      "unix",
      "local-socket",
      "unix-dgram",
      "unix-seqpacket",
      "http/unix",
      "ws/unix",
      "http2/",
      "jsonrpc/",
      "redis/",
      "stdio",
      "channel/",
      "grpc/",
      "python-connection",
      "zeromq/dealer-router",
      "zeromq/req-rep",
    ],
  },
  { name: "tcp", mode: "blocking", of: ["tcp", "zeromq/tcp"] },
  { name: "pipe", mode: "blocking", of: ["fifo", "fifo/sync"] },
  { name: "queue", mode: "blocking", of: ["posix-mq", "posix-mq/"] },
  { name: "futex", mode: "blocking", of: ["shm/futex", "shm/adaptive", "mmap/futex"] },
  { name: "semaphore", mode: "blocking", of: ["shm/semaphore", "mmap/semaphore"] },
  { name: "spin", mode: "polling", of: ["shm/spin"] },
];

export function cKindOf(transport: string): string | undefined {
  return C_KINDS.find(({ of }) => of.some((id) => id === transport || (id.endsWith("/") && transport.startsWith(id))))
    ?.name;
}

/** Adds to each round trip its ratio to plain C on the same mechanism, within the same rounds. */
export function withCBaseline(rows: readonly Measurement[], baseline: readonly Measurement[]): Measurement[] {
  const measured = baseline.filter((row) => row.status === "measured");
  return rows.map((row) => {
    const name = cKindOf(row.transport);
    if (row.model !== "ping-pong" || row.status !== "measured" || !hasNodeClient(row)) return row;
    const c = measured.find(
      ({ transport, placement, payloadBytes }) =>
        transport === `c/${name}` && placement === row.placement && payloadBytes === row.payloadBytes,
    );
    if (c?.latencyNs === undefined) return row;
    const { ratio, interval, common } = compareRounds(roundsOf([row]), roundsOf([c]));
    return common === 0
      ? row
      : { ...row, cBaseline: { transport: c.transport, p50: c.latencyNs.p50, ratio, interval } };
  });
}

/** Returns a warning for each row with a doubtful ratio to plain C: the cell, both times, the reason, what to do. */
export function cBaselineWarnings(rows: readonly Measurement[]): Warning[] {
  return rows.flatMap((row) => {
    if (row.status !== "measured") return [];
    const { transport, mode, placement, benchmark, payloadBytes, latencyNs, cBaseline } = row;
    if (cBaseline === undefined || latencyNs === undefined) return [];
    const doubt = cDoubt(cBaseline);
    if (doubt === undefined) return [];
    const times = `p50 ${duration(latencyNs.p50)}, plain C ${duration(cBaseline.p50)}`;
    const cell = `${transport} (${mode}, ${placement}, ${bytes(payloadBytes)})`;
    const found = `${cell} took ${significant(cBaseline.ratio)} times as long as plain C (${times})`;
    const why =
      doubt === "told apart" ? OTHER_STATE : `${chance(cBaseline)}, so this may be chance; give it more --trials`;
    const where = { transport, mode, placement, benchmark, payloadBytes };
    return [{ id: "c-ratio-doubtful", text: `${found}: ${why}`, where }];
  });
}

const OTHER_STATE =
  "C makes the same system calls, so something else differed, such as the state of the machine; " +
  "run it again when it is quiet";

function chance({ interval }: CComparison): string {
  return interval ? `its interval goes up to ${significant(interval[1])}` : "it has no interval";
}
