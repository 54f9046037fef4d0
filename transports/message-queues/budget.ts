import { REMEDIES } from "../contract/shortage.ts";
import { type QueueLimits, queueCostBytes, queueLimits } from "../posix/message-queue.ts";
import { MOST_CLIENTS } from "./protocol.ts";

/** Size of messages that every system allows without configuration. */
export const USUAL_BYTES = 8192;
export const REQUEST_DEPTH = 10;
/** Requests that a client may have in flight. Its queue holds the replies to all, so a server never waits for long. */
export const REPLY_DEPTH = 4;

/** Sizes and numbers of queues that the limits of this system allow. */
export interface QueueBudget {
  readonly messageBytes: number;
  readonly requestDepth: number;
  readonly replyDepth: number;
  readonly maxClients: number;
  /** Limits from which the budget was computed, as text for the version receipt. */
  readonly receipt: string;
  /** Present if not even one client can be served: the reason. */
  readonly shortage?: string;
}

/**
 * Computes sizes that fit the limits. The quota is per user, so less is left than this assumes if other programs have
 * queues; how much they use cannot be found out.
 */
export function queueBudget(limits: QueueLimits = queueLimits()): QueueBudget {
  const mostRequests = Math.min(REQUEST_DEPTH, limits.maxMessages);
  const mostReplies = Math.min(REPLY_DEPTH, limits.maxMessages);
  const messageBytes = largestMessage(limits, mostRequests + MOST_CLIENTS * mostReplies);
  const affordable = Math.floor(limits.maxBytesPerUser / slotCost(messageBytes));
  // Room for one client comes first: with a small quota both queues become shorter, down to one message.
  const replyDepth = Math.max(1, Math.min(mostReplies, Math.floor(affordable / 2)));
  const requestDepth = Math.max(1, Math.min(mostRequests, affordable - replyDepth));
  const clients = Math.floor((affordable - requestDepth) / replyDepth);
  const maxClients = Math.min(MOST_CLIENTS, clients, limits.maxQueues - 1);
  const receipt =
    `msg_max ${limits.maxMessages}, msgsize_max ${limits.maxMessageBytes}, ` +
    `queues_max ${limits.maxQueues}, RLIMIT_MSGQUEUE ${limits.maxBytesPerUser}`;
  const budget = { messageBytes, requestDepth, replyDepth, maxClients: Math.max(1, maxClients), receipt };
  if (maxClients >= 1) return budget;
  const needed = `a server and one client need 2 queues and ${2 * slotCost(messageBytes)} bytes of quota`;
  return {
    ...budget,
    shortage: `${needed}; raise the limits: ${REMEDIES.queueBytes}, or ${REMEDIES.queueCount}; now ${receipt}`,
  };
}

const slotCost = (maxMessageBytes: number): number => queueCostBytes({ maxMessages: 1, maxMessageBytes });

/** Returns the usual size. Returns more under a higher limit of the system, if as many clients can still be served. */
function largestMessage(limits: QueueLimits, slots: number): number {
  const withAllClients = Math.floor(limits.maxBytesPerUser / slots) - slotCost(0);
  return Math.min(limits.maxMessageBytes, Math.max(USUAL_BYTES, Math.floor(withAllClients / 8) * 8));
}
