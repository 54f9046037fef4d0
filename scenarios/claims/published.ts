import { about, atLeast, type Claim, ofOrder } from "../claim.ts";
import { cell, onTwoAndOne, ratio, roundTrip } from "./cells.ts";

const KIB = 1024;

const IPC_BENCH = {
  source: "rigtorp/ipc-bench, as quoted in questions and blogs",
  date: "undated",
  hardware: "one CPU of 3.3 GHz, Linux",
} as const;
const TACHYON = { source: "Tachyon, README", date: "2026", hardware: "i7-12650H" } as const;
const RUSTY_COMMS = { source: "redhat-performance/rusty-comms, README", date: "undated" } as const;

/**
 * Published figures. A time is comparable on its own machine only; a ratio of two times may hold on other machines, and
 * so may the order of magnitude of a time whose source names no machine.
 */
export const PUBLISHED: readonly Claim[] = [
  {
    ...IPC_BENCH,
    id: "tcp-three-times-unix",
    text: "A message takes 2 µs over a Unix socket and 6 µs over TCP: 3 times as long",
    dependsOn: "the placement",
    parts: onTwoAndOne(roundTrip("tcp"), roundTrip("unix"), about(3)),
  },
  {
    ...IPC_BENCH,
    id: "unix-seven-times-rate",
    text: "A Unix socket carries 1.73 million messages a second and TCP 0.25 million: 7 times as many",
    dependsOn: "the placement",
    parts: onTwoAndOne(cell("unix", "event", "throughput"), cell("tcp", "event", "throughput"), about(6.8), "rate"),
  },
  {
    ...TACHYON,
    id: "shm-50-ns",
    text: "A round trip through shared memory takes 49.9 ns (both ends pinned and spinning, with real-time priority)",
    parts: [
      {
        kind: "figure",
        where: "64 B",
        cell: roundTrip("shm/spin", "polling"),
        metric: "p50",
        claimed: about(49.9),
        comparableOn: TACHYON.hardware,
      },
    ],
  },
  {
    ...TACHYON,
    id: "zeromq-five-times-unix",
    text: "A round trip takes 2 µs over a Unix socket and 10 µs over ZeroMQ: 5 times as long",
    parts: [ratio("64 B", roundTrip("zeromq/dealer-router"), roundTrip("unix"), about(5))],
  },
  {
    ...TACHYON,
    id: "grpc-500-times-unix",
    text: "A round trip takes 2 µs over a Unix socket and 1 ms over gRPC: 500 times as long",
    parts: [ratio("64 B", roundTrip("grpc/unary"), roundTrip("unix"), about(500))],
  },
  {
    id: "grpc-5-to-20-ms",
    text: "A call takes 130 µs over a Unix socket and 5 to 20 ms over gRPC: 38 to 154 times as long",
    source: "a page for choosing a mechanism",
    date: "2026",
    parts: [ratio("64 B", roundTrip("grpc/unary"), roundTrip("unix"), about(5 / 0.13, 20 / 0.13))],
  },
  {
    id: "stdio-tool-145-ms",
    text: "Standard streams reply in the order of 100 ms: a tool server takes 145 ms",
    source: "mcp-find.org",
    date: "undated",
    parts: [
      {
        kind: "figure",
        where: "64 B, the transport without the work of a tool",
        cell: roundTrip("jsonrpc/stdio"),
        metric: "p50",
        claimed: ofOrder(145e6),
        comparableOn: "any",
      },
    ],
  },
  {
    id: "process-send-3-ms",
    text: "A message takes 3 to 4 ms with process.send and below 1 ms over a socket: at least 3 times as long",
    source: "rtfeldman/node-test-runner, pull request 217",
    date: "2017-09-11",
    parts: [ratio("64 B", roundTrip("channel/json"), roundTrip("unix"), atLeast(3))],
  },
  {
    id: "pipe-quarter-of-socket",
    text: "A pipe takes 25 % of the time of a TCP socket with small messages, and 73 % at 64 KiB",
    source: "tendermint/tendermint, issue 2928",
    date: "2018-11-28",
    dependsOn: "the size of the message",
    parts: [
      ratio("64 B", roundTrip("fifo"), roundTrip("tcp"), about(0.25)),
      ratio(
        "64 KiB",
        roundTrip("fifo", "event", { payloadBytes: 64 * KIB }),
        roundTrip("tcp", "event", { payloadBytes: 64 * KIB }),
        about(0.73),
      ),
    ],
  },
  {
    id: "grpc-tcp-80-us",
    text: "A gRPC call takes 80 µs over TCP and 25 µs over a Unix socket: 3.2 times as long",
    source: "drlove.dev, gRPC over Unix sockets",
    date: "undated",
    parts: [
      {
        ...ratio("64 B", roundTrip("grpc/tcp"), roundTrip("grpc/unary"), about(3.2)),
        lacking: "ipcmark has gRPC over a Unix socket only",
      },
    ],
  },
  {
    ...RUSTY_COMMS,
    id: "mq-faster-than-unix",
    text: "A message takes 14.5 µs over a Unix socket and 8.6 µs over a POSIX queue: 1.7 times as long",
    dependsOn: "the placement",
    parts: onTwoAndOne(roundTrip("unix", "blocking"), roundTrip("posix-mq", "blocking"), about(14.5 / 8.6)),
  },
  {
    ...RUSTY_COMMS,
    id: "shm-twice-as-fast-as-unix",
    text: "A message takes 14.5 µs over a Unix socket and 7.4 µs through shared memory: twice as long",
    dependsOn: "the placement",
    parts: onTwoAndOne(roundTrip("unix", "blocking"), roundTrip("shm/futex", "blocking"), about(14.5 / 7.4)),
  },
  {
    id: "futex-three-times-pipe",
    text: "Waking the other end by a futex instead of a pipe is 2.75 to 3.8 times as fast",
    source: "AFLplusplus/AFLplusplus, pull request 2724",
    date: "2026-02-17",
    hardware: "Intel Core i9-13950HX and AMD Ryzen AI 7 350",
    dependsOn: "the placement",
    parts: onTwoAndOne(roundTrip("fifo", "blocking"), roundTrip("shm/futex", "blocking"), about(2.75, 3.81)),
  },
  {
    id: "windows-pipe-rate",
    text: "node:net makes in the order of 100,000 round trips a second over a Windows pipe: 76,000 to 118,000",
    source: "oven-sh/bun, pull request 42819",
    date: "undated",
    parts: [
      {
        kind: "figure",
        where: "64 B, one at a time",
        cell: roundTrip("named-pipe"),
        metric: "rate",
        claimed: ofOrder(76_000, 118_000),
        comparableOn: "any",
      },
    ],
  },
];
