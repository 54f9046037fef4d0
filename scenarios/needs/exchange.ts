import { HEADER_BYTES } from "../../transports/contract/frame.ts";
import { type Need, valueText } from "../need.ts";

const PLAIN = { kind: "none", standard: 0 } as const;
const MIB = 1024 * 1024;

/** Needs about messages: their kinds, sizes and numbers. */
export const EXCHANGE: readonly Need[] = [
  {
    name: "clients",
    kind: "count",
    standard: 100,
    why: "A mechanism with room for few clients turns the next one away, on the busiest day.",
    sentence: (count) => `serves ${count} ${count === 1 ? "client" : "clients"} at once`,
    excludes: ({ maxClients }, count) =>
      maxClients >= count ? undefined : `serves at most ${maxClients} ${maxClients === 1 ? "client" : "clients"}`,
    checks: ["concurrent-clients/8", "concurrent-clients/64"],
    examinedUpTo: { "concurrent-clients/8": 8, "concurrent-clients/64": 64 },
  },
  {
    name: "message",
    kind: "bytes",
    standard: 8 * MIB,
    why: "The first large message comes in production, and then the mechanism refuses it.",
    sentence: (bytes) => `carries a message of ${valueText("bytes", bytes)}`,
    excludes({ maxMessageBytes }, bytes) {
      const most = maxMessageBytes - HEADER_BYTES;
      return most >= bytes ? undefined : `carries at most ${most} bytes in one message`;
    },
    checks: ["large-messages"],
  },
  {
    name: "in-flight",
    kind: "count",
    standard: 64,
    why: "A client that waits for each reply before it sends the next request pays the whole delay every time.",
    sentence: (count) => `allows ${count} requests of one client to be outstanding`,
    excludes: ({ maxInFlight }, count) =>
      maxInFlight >= count
        ? undefined
        : `allows ${maxInFlight} outstanding ${maxInFlight === 1 ? "request" : "requests"}`,
    checks: ["pipelining"],
    // Number of outstanding requests in the check.
    examinedUpTo: { pipelining: 24 },
  },
  {
    ...PLAIN,
    name: "ordered",
    why: "Messages that overtake each other undo each other's effect, and only sometimes.",
    sentence: () => "delivers messages in the order in which they were sent",
    excludes: ({ ordering }) => (ordering === "fifo" ? undefined : "promises no order"),
    checks: ["one-way-order"],
  },
  {
    ...PLAIN,
    name: "reliable",
    why: "A lost message shows only when its effect is missed.",
    sentence: () => "loses no message while both ends live",
    excludes: ({ delivery }) => (delivery === "reliable" ? undefined : "drops messages by its own account"),
    checks: ["one-way-order", "exactly-once-replies"],
  },
  {
    ...PLAIN,
    name: "one-way",
    why: "Events and logs need no reply, and waiting for one costs a round trip for each.",
    sentence: () => "carries messages without a reply",
    excludes: ({ patterns }) => (patterns.includes("one-way") ? undefined : "sends a reply to every message"),
    checks: ["one-way-order"],
  },
  {
    ...PLAIN,
    name: "fan-out",
    why: "A server that can only reply cannot notify its clients of a change.",
    sentence: () => "lets a server send one message to all of its clients, unasked",
    excludes({ patterns, modes, maxClients, rendezvous }) {
      if (rendezvous !== "address" || maxClients < 2) return "has one client for each server";
      if (patterns.includes("fan-out")) return undefined;
      if (!patterns.includes("one-way")) return "sends nothing but replies from a server";
      return modes[0] === "event" ? undefined : "has a server that blocks and publishes nothing on its own";
    },
    madeFor: ({ patterns }) => patterns.includes("fan-out"),
    checks: ["fan-out"],
  },
  {
    ...PLAIN,
    name: "back-pressure",
    why: "A queue that grows while its reader is slow ends in a crash that loses everything in it.",
    sentence: () => "holds a sender back when the reader is slow",
    excludes: ({ backpressure }) => (backpressure === "none" ? "drops messages when the reader is slow" : undefined),
    checks: ["back-pressure/server", "back-pressure/client"],
  },
];
