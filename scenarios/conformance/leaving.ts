import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { WaitMode } from "../../transports/contract/capabilities.ts";
import { HEADER_BYTES, Kind } from "../../transports/contract/frame.ts";
import type { Connection } from "../../transports/contract/transport.ts";
import type { Check, CheckContext, Condition, Peer } from "../check.ts";
import { canFreeze, hasAddress, hasEventFace, ownProcess, replies, reportsStatistics } from "../kit/conditions.ts";
import { eventually, expect, within } from "../kit/expect.ts";
import { frameOf, largestTried, pattern } from "../kit/messages.ts";
import { eventFace } from "../kit/one-process.ts";
import { statistics, usage, waitedMs } from "../kit/peer.ts";
import { Recorder } from "../kit/recorder.ts";

/** Number of clients of each kind: enough to notice a leak that only one kind causes. */
const ROUNDS = 4;
/** Number of descriptors and mappings that a runtime may open on its own. */
const ALLOWED = ROUNDS - 1;
/** Time-out of `close` for a client that leaves, ms: short, so that it does not wait for its replies. */
const CLOSE_MS = 50;
/** Bytes that a client requests and does not read: more than the buffers hold, or as many as it may request. */
const UNREAD_BYTES = 4 * 1024 * 1024;
const UNREAD_BODY_BYTES = 64 * 1024;
/** Longest time until a server notices that clients are gone, ms; some servers check only now and then. */
const SETTLE_MS = 3000;
const IDLE_MS = 150;
/** Length of a second look at a server that seems to rest, ms: a machine that stood still for a moment hides a spin. */
const SURE_MS = 300;
/** Limit on the share of time running or waiting for a CPU: a sleeping server has some percent, a spinning one 100. */
const SPINNING_SHARE = 0.5;

const servesBoth: Condition = ({ modes }, transport) =>
  (transport.blocking !== undefined && modes[0] === "event") || "its server is the same as in failure/clients-leave";

const CLAIM = {
  title: "Clients that leave at any moment cost the server neither descriptors nor memory, and no CPU time",
  why: "A server that keeps something of each crashed client ends after a thousand; one that spins slows others down.",
  typicalMs: 1000,
} as const;

/** Checks with clients that leave before their reply, in the middle of a message, or right after connecting. */
export const leaving: readonly Check[] = [
  {
    ...CLAIM,
    id: "failure/clients-leave",
    sharesPeer: true,
    needs: [hasEventFace, ownProcess, hasAddress, replies, canFreeze, reportsStatistics],
    run: (context) => clientsLeave(context),
  },
  {
    ...CLAIM,
    id: "blocking/clients-leave",
    title: `${CLAIM.title}: where the server blocks`,
    needs: [hasEventFace, ownProcess, hasAddress, replies, canFreeze, reportsStatistics, servesBoth],
    run: (context) => clientsLeave(context, "blocking"),
  },
];

async function clientsLeave(context: CheckContext, mode?: WaitMode): Promise<void> {
  const peer = await context.startPeer(mode === undefined ? {} : { mode });
  const moments = momentsOf(context);
  for (const leave of moments) await leave(peer);
  const before = await look(context, peer);
  for (let round = 0; round < ROUNDS; round++) for (const leave of moments) await leave(peer);
  let after = before;
  const settles = async (): Promise<boolean> => {
    after = await look(context, peer);
    return after.descriptors - before.descriptors < ALLOWED && after.mappings - before.mappings < ALLOWED;
  };
  await eventually("the server gives back what they took", settles, SETTLE_MS).catch(() => undefined);
  const clients = ROUNDS * moments.length;
  const [descriptors, mappings] = [after.descriptors - before.descriptors, after.mappings - before.mappings];
  expect(descriptors < ALLOWED, `${clients} clients left, and ${descriptors} descriptors stay open in the server`);
  expect(
    mappings < ALLOWED,
    `${clients} clients left, and ${mappings} pieces of shared memory stay mapped in the server`,
  );
  context.note("clientsThatLeft", clients);
  if (context.transport.capabilities.modes[0] === "polling") return;
  const share = await idleShare(context, peer);
  context.note("awakePercent", Math.round(share * 100));
  expect(
    share < SPINNING_SHARE,
    `after ${clients} clients left, the idle server is awake for ${Math.round(share * 100)} % of the time`,
  );
}

type Leave = (peer: Peer) => Promise<void>;

function momentsOf(context: CheckContext): Leave[] {
  const { capabilities, connectRaw } = context.transport;
  const open = (peer: Peer, side: Recorder): Promise<Connection> =>
    within("connect", eventFace(context).connect(peer.address, side));
  const close = (connection: Connection): Promise<unknown> =>
    within("close", connection.close(CLOSE_MS)).catch(() => undefined);
  const bytes = Math.min(UNREAD_BODY_BYTES, largestTried(capabilities) - HEADER_BYTES);
  const most = Math.min(capabilities.maxInFlight, Math.ceil(UNREAD_BYTES / bytes));

  async function beforeTheFirstMessage(peer: Peer): Promise<void> {
    await close(await open(peer, new Recorder("a client")));
  }
  async function beforeTheReply(peer: Peer): Promise<void> {
    const connection = await open(peer, new Recorder("a client"));
    // Stopped, because a running server might reply before the client is gone.
    await peer.freeze();
    try {
      connection.send(frameOf(Kind.request, 1, pattern(16, 1)));
      await close(connection);
    } finally {
      peer.thaw();
    }
  }
  async function withRepliesUnread(peer: Peer): Promise<void> {
    const side = new Recorder("a client");
    side.keeps = false;
    const connection = await open(peer, side);
    connection.pause();
    for (let sent = 0; sent < most && connection.send(frameOf(Kind.request, sent, pattern(bytes, sent))); sent++)
      await delay(0);
    await close(connection);
  }
  const withBytes =
    (sent: Uint8Array): Leave =>
    async (peer) => {
      const raw = await context.connectRaw(peer.address);
      if (sent.length > 0) await raw.write(sent).catch(() => undefined);
      await raw[Symbol.asyncDispose]();
    };
  // Without any bytes, and with half a prefix.
  const below = connectRaw === undefined ? [] : [withBytes(new Uint8Array(0)), withBytes(Uint8Array.of(0, 0))];
  return [beforeTheFirstMessage, beforeTheReply, withRepliesUnread, ...below];
}

interface Kept {
  readonly descriptors: number;
  readonly mappings: number;
}

async function look(context: CheckContext, peer: Peer): Promise<Kept> {
  const client = await context.connect(peer);
  const { descriptors } = await statistics(client);
  await within("close", client.close());
  return { descriptors, mappings: sharedMappings(peer.pid) };
}

/** Returns the number of shared mappings; 0 where the system does not report them. */
function sharedMappings(pid: number): number {
  try {
    return readFileSync(`/proc/${pid}/maps`, "latin1").match(/^\S+ ...s /gm)?.length ?? 0;
  } catch {
    return 0;
  }
}

/**
 * Returns the share of the time in which the idle server runs or waits for a CPU. It is the least of several shares,
 * since the server may have work left at first. The readings of CPU time lie before and after the timed pause. On a
 * busy machine much time passes between them, and a server that spins uses all of it.
 */
async function idleShare(context: CheckContext, peer: Peer): Promise<number> {
  const client = await context.connect(peer);
  const ranMs = async (): Promise<number> => (await usage(client)).cpuMicros / 1000;
  let least = Number.POSITIVE_INFINITY;
  const shareWithin = async (ms: number): Promise<number> => {
    const waitedBefore = waitedMs(peer.pid);
    const ranBefore = await ranMs();
    const startedMs = performance.now();
    await delay(ms);
    const idleMs = performance.now() - startedMs;
    const ran = (await ranMs()) - ranBefore;
    // Where the second reading fails, nothing is known of the wait.
    return (ran + Math.max(0, waitedMs(peer.pid) - waitedBefore)) / idleMs;
  };
  const rests = async (): Promise<boolean> => {
    const first = await shareWithin(IDLE_MS);
    const share = first < SPINNING_SHARE ? Math.max(first, await shareWithin(SURE_MS)) : first;
    least = Math.min(least, share);
    return least < SPINNING_SHARE;
  };
  await eventually("the server rests", rests, SETTLE_MS).catch(() => undefined);
  await within("close", client.close());
  return least;
}
