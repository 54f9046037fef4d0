import { Kind } from "../../../transports/contract/frame.ts";
import { type ReusableMessage, STREAM_LAST, STREAM_TIMED } from "../../rpc/message.ts";
import { payloadMessages } from "../../rpc/payload.ts";
import { givenUp, type Link, LOST_AFTER_MS, type Model, type Window } from "./model.ts";
import { schedule, scheduleMissed } from "./schedule.ts";

const REPORT_TIMEOUT_MS = 10_000;

/** Single one-way messages. The receiver stamps each arrival by CLOCK_MONOTONIC, which both processes share. */
export const oneWay: Model = {
  id: "one-way",
  prepare({ link }, { payloadBytes, ratePerSecond }) {
    const messages = payloadMessages(Kind.oneWay, payloadBytes);
    // A stream needs two messages: the last one only ends it, and those before it request stamps.
    return { window: (count) => runOneWay(link, messages, Math.max(2, count), ratePerSecond ?? 1000) };
  },
};

async function runOneWay(
  link: Link,
  messages: readonly ReusableMessage[],
  count: number,
  rate: number,
): Promise<Window> {
  const due = schedule(count, rate, "fixed", 0);
  const sentNs = new BigUint64Array(count);
  const lateness = new Float64Array(count);
  const startedNs = process.hrtime.bigint();
  try {
    for (let index = 0; index < count; index++) {
      lateness[index] = await waitUntil(link, startedNs, due[index] as number);
      const message = messages[index % messages.length] as ReusableMessage;
      const frame = message.stamp(index, index === count - 1 ? STREAM_LAST : STREAM_TIMED);
      sentNs[index] = process.hrtime.bigint();
      if (!(await handOver(link, frame))) return givenUp(count, `the transport took nothing for ${LOST_AFTER_MS} ms`);
    }
    const report = await link.peer.streamReport(REPORT_TIMEOUT_MS);
    if (report.arrivalsNs === undefined) return givenUp(count, "this peer does not stamp arrivals");
    const refused = scheduleMissed(lateness, due, rate);
    const { received, duplicated, reordered, corrupted } = report;
    return {
      messages: received,
      elapsedNs: Number(BigInt(report.lastNs) - startedNs),
      samples: latencies(sentNs, report.arrivalsNs),
      lateness,
      lost: Math.max(0, count - (received - duplicated) - corrupted),
      duplicated,
      reordered,
      corrupted,
      ...(refused === undefined ? {} : { refused }),
    };
  } catch (error) {
    return givenUp(count, (error as Error).message);
  }
}

/** Sends; waits if the transport is full, and that time is part of the latency. */
async function handOver(link: Link, frame: Uint8Array): Promise<boolean> {
  if (link.face === "blocking") return link.connection.send(frame, LOST_AFTER_MS);
  const deadline = performance.now() + LOST_AFTER_MS;
  while (!link.client.connection.send(frame)) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return true;
}

/** Polls the clock until the time is due; an event loop turns meanwhile. Returns the delay, ns. */
async function waitUntil(link: Link, startedNs: bigint, dueNs: number): Promise<number> {
  for (;;) {
    const lateNs = Number(process.hrtime.bigint() - startedNs) - dueNs;
    if (lateNs >= 0) return lateNs;
    if (link.face === "event") await new Promise((resolve) => setImmediate(resolve));
  }
}

function latencies(sentNs: BigUint64Array, encoded: string): Float64Array {
  const bytes = Buffer.from(encoded, "base64");
  const arrived = new BigUint64Array(new Uint8Array(bytes).buffer);
  const all: number[] = [];
  for (let index = 0; index < sentNs.length; index++) {
    const at = arrived[index] ?? 0n;
    if (at > 0n) all.push(Number(at - (sentNs[index] as bigint)));
  }
  return Float64Array.from(all);
}
