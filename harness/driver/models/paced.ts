import { Kind } from "../../../transports/contract/frame.ts";
import type { Load } from "../../process/load-messages.ts";
import type { ReusableMessage } from "../../rpc/message.ts";
import { payloadMessages } from "../../rpc/payload.ts";
import { BLOCKING_SLOTS, BlockingWindow, EventWindow, type Task } from "./client-loops.ts";
import { LOST_AFTER_MS, type Model } from "./model.ts";
import { schedule } from "./schedule.ts";

/** Time before the first request is due, in which a window allocates its arrays. */
const LEAD_NS = 1_000_000n;

/** Open loop: requests start on a busy-polled schedule, and latency counts from the intended start. */
export const paced: Model = {
  id: "paced",
  prepare({ link, transport }, load) {
    const messages = payloadMessages(Kind.request, load.payloadBytes);
    const taskOf = (count: number): Task => pacedTask(messages, count, load);
    if (link.face === "event") return { window: (count) => new EventWindow(link.client, taskOf(count)).run() };
    const slots = Math.min(BLOCKING_SLOTS, transport.capabilities.maxInFlight);
    return { window: async (count) => new BlockingWindow(link.connection, taskOf(count), slots).run() };
  },
};

function pacedTask(messages: readonly [ReusableMessage, ...ReusableMessage[]], count: number, load: Load): Task {
  const ratePerSecond = load.ratePerSecond ?? 1000;
  const due = schedule(count, ratePerSecond, load.arrivals, load.seed);
  return {
    count,
    requestOf: (index) => messages[index % messages.length] as ReusableMessage,
    due,
    startNs: process.hrtime.bigint() + LEAD_NS,
    ratePerSecond,
    lostMs: LOST_AFTER_MS,
    largestBytes: messages[0].frame.length,
    polls: true,
  };
}
