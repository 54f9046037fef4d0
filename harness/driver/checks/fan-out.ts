import { setTimeout as delay } from "node:timers/promises";
import type { FanOutLoad, StreamTotals } from "../../../scenarios/check.ts";
import { HEADER_BYTES, Kind, readKind } from "../../../transports/contract/frame.ts";
import type { Connection, ConnectionHandler, Transport } from "../../../transports/contract/transport.ts";
import { StreamReceiver } from "../../peer/stream-receiver.ts";
import type { PeerPublish } from "../../process/messages.ts";
import type { RunningPeer } from "../peers/running-peer.ts";

const PUBLISH_TIMEOUT_MS = 20_000;
const JOIN_LIMIT_MS = 5000;
const JOIN_STEP_MS = 20;
/** Time without a new message for any subscriber after which the missing ones count as lost. */
const QUIET_MS = 1500;
const SETTLED_MS = 100;

/** Publishes to subscribers of this process and counts what each of them receives. */
export async function publishTo(
  transport: Transport,
  running: RunningPeer,
  { subscribers, messages, bodyBytes }: FanOutLoad,
): Promise<readonly StreamTotals[]> {
  const crowd = Array.from({ length: subscribers }, () => new Subscriber());
  const distribution = transport.capabilities.patterns.includes("fan-out") ? "transport" : "server";
  const publish = async (count: number): Promise<void> => {
    const request: PeerPublish = { type: "publish", messages: count, payloadBytes: bodyBytes, distribution };
    const { problem } = await running.publish(request, PUBLISH_TIMEOUT_MS);
    if (problem !== undefined) throw new Error(`the server could not publish: ${problem}`);
  };
  // A server that distributes does not publish to its first client, which is the driver's own.
  const first = distribution === "server" ? await running.connect() : undefined;
  try {
    await first?.request(new Uint8Array(0));
    for (const subscriber of crowd) await subscriber.open(transport, running);
    await allJoined(crowd, publish);
    for (const subscriber of crowd) subscriber.takeTotals();
    await publish(messages);
    await untilHeard(crowd, messages, QUIET_MS);
    return crowd.map((subscriber) => subscriber.takeTotals());
  } finally {
    await Promise.allSettled([first?.close(), ...crowd.map((subscriber) => subscriber.close())]);
  }
}

/** Publishes a little until every subscriber receives it, since messages before that may be dropped. */
async function allJoined(crowd: readonly Subscriber[], publish: (count: number) => Promise<void>): Promise<void> {
  const deadline = performance.now() + JOIN_LIMIT_MS;
  while (crowd.some(({ heard }) => heard === 0)) {
    if (performance.now() > deadline) {
      const deaf = crowd.filter(({ heard }) => heard === 0).length;
      throw new Error(`${deaf} of ${crowd.length} subscribers received nothing of what was published`);
    }
    await publish(1);
    await delay(JOIN_STEP_MS);
  }
  await untilHeard(crowd, Number.POSITIVE_INFINITY, SETTLED_MS);
}

/** Resolves when all have that many messages, or when nobody has received another one for a while. */
async function untilHeard(crowd: readonly Subscriber[], wanted: number, quietMs: number): Promise<void> {
  let before = -1;
  // Counted in turns of the event loop, not by the clock: after a stall, timers run before what has arrived is read.
  for (let still = 0; still * JOIN_STEP_MS <= quietMs; still++) {
    if (crowd.every(({ heard }) => heard >= wanted)) return;
    const sum = crowd.reduce((total, { heard }) => total + heard, 0);
    if (sum !== before) still = 0;
    before = sum;
    await delay(JOIN_STEP_MS);
  }
}

class Subscriber {
  heard = 0;
  readonly #receiver = new StreamReceiver(() => {});
  #connection: Connection | undefined;

  async open(transport: Transport, running: RunningPeer): Promise<void> {
    if (transport.event === undefined) throw new TypeError(`${transport.id} has no event face`);
    const handler: ConnectionHandler = {
      onOpen() {},
      onMessage: (message) => {
        if (message.length < HEADER_BYTES || readKind(message) !== Kind.oneWay) return;
        this.heard++;
        this.#receiver.take(message);
      },
      onWritable() {},
      onClose() {},
    };
    this.#connection = await transport.event.connect(running.address, handler);
  }

  /** Returns the totals since the last call; the next message begins a new stream. */
  takeTotals(): StreamTotals {
    this.heard = 0;
    return this.#receiver.takeTotals();
  }

  async close(): Promise<void> {
    await this.#connection?.close(1000);
  }
}
