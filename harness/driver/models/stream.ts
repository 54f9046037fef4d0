import { Kind } from "../../../transports/contract/frame.ts";
import type { Connection } from "../../../transports/contract/transport.ts";
import { Deadline } from "../../../transports/support/deadline.ts";
import { type ReusableMessage, STREAM_LAST } from "../../rpc/message.ts";
import { payloadMessages } from "../../rpc/payload.ts";
import { givenUp, type Link, lostAfterMs, type Model, type Window } from "./model.ts";

/** Longest wait for a report. If a stream lost its last message, the receiver reports within two seconds anyway. */
const REPORT_TIMEOUT_MS = 10_000;

/** One-way messages as fast as the transport takes them. The receiver verifies each one and stops the clock. */
export const stream: Model = {
  id: "stream",
  prepare({ link }, { payloadBytes }) {
    const messages = payloadMessages(Kind.oneWay, payloadBytes);
    return { window: (count) => runStream(link, messages, count) };
  },
};

async function runStream(link: Link, messages: readonly ReusableMessage[], count: number): Promise<Window> {
  const startedNs = process.hrtime.bigint();
  const problem = link.face === "event" ? await sendAll(link, messages, count) : sendAllBlocking(link, messages, count);
  if (problem !== undefined) return givenUp(count, problem);
  const report = await link.peer.streamReport(REPORT_TIMEOUT_MS).catch((error: unknown) => (error as Error).message);
  if (typeof report === "string") return givenUp(count, `no report of the receiver: ${report}`);
  const { received, duplicated, reordered, corrupted } = report;
  return {
    messages: received,
    // Both processes read the same CLOCK_MONOTONIC, so the difference is a duration.
    elapsedNs: Number(BigInt(report.lastNs) - startedNs),
    samples: null,
    lost: Math.max(0, count - (received - duplicated) - corrupted),
    duplicated,
    reordered,
    corrupted,
  };
}

/** Sends; yields to the event loop only when the transport is full, as an application would. */
async function sendAll(
  link: Extract<Link, { face: "event" }>,
  messages: readonly ReusableMessage[],
  count: number,
): Promise<string | undefined> {
  const connection = link.client.connection;
  const limitMs = lostAfterMs(messages[0]?.frame.length ?? 0);
  try {
    for (let sent = 0; ; ) {
      sent = sendWhileTaken(connection, messages, sent, count);
      if (sent === count) return undefined;
      if (!(await within(link.client.writable(), limitMs))) return `the transport took nothing for ${limitMs} ms`;
    }
  } catch (error) {
    return (error as Error).message;
  }
}

function sendWhileTaken(
  connection: Connection,
  messages: readonly ReusableMessage[],
  from: number,
  count: number,
): number {
  for (let sent = from; sent < count; sent++) {
    const message = messages[sent % messages.length] as ReusableMessage;
    if (!connection.send(message.stamp(sent, sent === count - 1 ? STREAM_LAST : 0))) return sent;
  }
  return count;
}

function within(promise: Promise<void>, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const deadline = new Deadline(timeoutMs, () => resolve(false));
    void promise.then(() => {
      deadline.clear();
      resolve(true);
    });
  });
}

function sendAllBlocking(
  link: Extract<Link, { face: "blocking" }>,
  messages: readonly ReusableMessage[],
  count: number,
): string | undefined {
  const limitMs = lostAfterMs(messages[0]?.frame.length ?? 0);
  try {
    for (let sent = 0; sent < count; sent++) {
      const message = messages[sent % messages.length] as ReusableMessage;
      if (!link.connection.send(message.stamp(sent, sent === count - 1 ? STREAM_LAST : 0), limitMs)) {
        return `the transport took nothing for ${limitMs} ms`;
      }
    }
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
