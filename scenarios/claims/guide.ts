import { atLeast, atMost, type Claim, type RatioPart } from "../claim.ts";
import type { CellName } from "../evidence.ts";
import { cell, passes, ratio, roundTrip, valuesOver } from "./cells.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

const SOURCE = { source: "a guide to servers and clients on one machine, in Python", date: "undated" } as const;

const guide = (claim: Omit<Claim, "source" | "date">): Claim => ({ ...claim, ...SOURCE });

const ONE_CPU = { placement: "same-cpu" } as const;
const TWO_CPUS = { placement: "two-cpus" } as const;

/** Returns a part for each rival, which claims that its round trips take longer than those of `best`. */
function inTurn(
  where: string,
  rivals: readonly string[],
  best: string,
  mode: "event" | "blocking",
  place: Pick<CellName, "placement"> = {},
): readonly RatioPart[] {
  return rivals.map((rival) =>
    ratio(`${where}, against ${rival}`, roundTrip(rival, mode, place), roundTrip(best, mode, place), atLeast(1)),
  );
}

/** Claims of a guide that a run can test. */
export const GUIDE: readonly Claim[] = [
  guide({
    id: "shm-lowest-latency",
    text: "Shared memory has the shortest round trips",
    dependsOn: "how the processes wait, and on the rival",
    parts: [
      ...inTurn("blocked on two CPUs", ["unix", "fifo", "posix-mq"], "shm/futex", "blocking", TWO_CPUS),
      ...inTurn("blocked on one CPU", ["unix", "fifo", "posix-mq"], "shm/futex", "blocking", ONE_CPU),
      ...inTurn("event loop", ["unix", "fifo"], "shm/doorbell", "event"),
    ] as unknown as Claim["parts"],
  }),
  guide({
    id: "posix-mq-high-rate",
    text: "POSIX message queues suit high rates of small messages: they carry more messages a second than a stream",
    dependsOn: "the rival",
    parts: [
      ratio(
        "against unix",
        cell("posix-mq", "blocking", "throughput"),
        cell("unix", "blocking", "throughput"),
        atLeast(1),
        "rate",
      ),
      ratio(
        "against fifo",
        cell("posix-mq", "blocking", "throughput"),
        cell("fifo", "blocking", "throughput"),
        atLeast(1),
        "rate",
      ),
    ],
  }),
  guide({
    id: "file-drop-last-resort",
    text: "Files in a directory are a last resort: every other mechanism replies sooner",
    parts: ["unix", "tcp", "fifo", "grpc/unary"].map((other) =>
      ratio(`against ${other}`, roundTrip("file-drop/watch"), roundTrip(other), atLeast(1)),
    ) as unknown as Claim["parts"],
  }),
  guide({
    id: "persistent-connection",
    text: "A connection that stays open is faster than a new one for each request",
    parts: [
      ratio("unix", cell("unix", "event", "open-close"), roundTrip("unix"), atLeast(1)),
      ratio("tcp", cell("tcp", "event", "open-close"), roundTrip("tcp"), atLeast(1)),
    ],
  }),
  guide({
    id: "msgpack-beats-json",
    text: "MessagePack lowers the cost of serialization: values travel faster than as JSON",
    dependsOn: "the kind of value",
    parts: [
      ratio(
        "a call with eight fields",
        valuesOver("unix", "json", "rpc-object"),
        valuesOver("unix", "msgpack", "rpc-object"),
        atLeast(1),
      ),
      ratio(
        "a table of 200 rows",
        valuesOver("unix", "json", "table-200"),
        valuesOver("unix", "msgpack", "table-200"),
        atLeast(1),
      ),
    ],
  }),
  guide({
    id: "large-in-shared-memory",
    text: "Large objects belong in shared memory, and a small message announces them: this is faster than sending them",
    dependsOn: "the size of the object",
    parts: ([4 * KIB, 64 * KIB, MIB] as const).map((payloadBytes) =>
      ratio(
        payloadBytes === MIB ? "1 MiB" : `${payloadBytes / KIB} KiB`,
        roundTrip("unix", "event", { payloadBytes }),
        roundTrip("shm/descriptor", "event", { payloadBytes }),
        atLeast(1),
      ),
    ) as unknown as Claim["parts"],
  }),
  guide({
    id: "spinning-costs-cpu",
    text: "Two ends that spin use CPU time while nothing happens, and ends that wait on semaphores use none",
    parts: [
      {
        kind: "figure",
        where: "two ends that spin",
        cell: cell("shm/spin", "polling", "idle"),
        metric: "idle-cpu",
        comparableOn: "any",
        claimed: atLeast(0.5),
      },
      {
        kind: "figure",
        where: "two ends that wait",
        cell: cell("shm/semaphore", "blocking", "idle"),
        metric: "idle-cpu",
        comparableOn: "any",
        claimed: atMost(0.1),
      },
    ],
  }),
  guide({
    id: "grpc-heavy",
    text: "gRPC is heavy for simple cases: at least twice the time and the CPU time of a plain socket",
    parts: [
      ratio("time", roundTrip("grpc/unary"), roundTrip("unix"), atLeast(2)),
      ratio("CPU time", roundTrip("grpc/unary"), roundTrip("unix"), atLeast(2), "cpu"),
    ],
  }),
  guide({
    id: "length-prefix",
    text: "Length prefixes prevent corruption, however a stream is cut into pieces",
    parts: [passes("unix", "fragmentation"), passes("tcp", "fragmentation"), passes("fifo", "fragmentation")],
  }),
  guide({
    id: "bounded-queues",
    text: "Bounded queues bound memory, whichever side is slow",
    parts: [
      passes("unix", "back-pressure/server"),
      passes("unix", "back-pressure/client"),
      passes("posix-mq", "back-pressure/server"),
      passes("shm/futex", "back-pressure/server"),
    ],
  }),
  guide({
    id: "deadline-ends-hang",
    text: "A deadline turns a hang into an error",
    parts: [
      passes("unix", "stalled-server"),
      passes("unix", "frozen-server"),
      passes("posix-mq", "stalled-server"),
      passes("posix-mq", "frozen-server"),
    ],
  }),
  guide({
    id: "python-connection-first",
    text: "Start with Python's multiprocessing.connection: it has framing and keys, and at least half a socket's speed",
    parts: [
      passes("python-connection", "message-boundaries", "python"),
      passes("python-connection", "wrong-key", "python"),
      passes("python-connection", "reconnect", "python"),
      ratio(
        "time, both servers in Python",
        roundTrip("python-connection", "event", { peer: "python" }),
        roundTrip("unix", "event", { peer: "python" }),
        atMost(2),
      ),
    ],
  }),
];
