import { describe, expect, it } from "vitest";
import { Kind } from "../../transports/contract/frame.ts";
import { buildFrame, STREAM_LAST } from "../rpc/message.ts";
import { StreamCounter } from "./stream-counter.ts";

const BODY = new Uint8Array(64).fill(7);
const frame = (sequence: number, last = false): Uint8Array =>
  buildFrame(Kind.oneWay, sequence, last ? STREAM_LAST : 0, 0, BODY);

function countAll(sequences: readonly number[]): ReturnType<StreamCounter["take"]> {
  const counter = new StreamCounter();
  for (const sequence of sequences) counter.count(frame(sequence));
  return counter.take();
}

describe("the receiver of a stream", () => {
  it("finds nothing wrong with a stream in order", () => {
    expect(countAll([0, 1, 2, 3])).toMatchObject({ received: 4, duplicated: 0, reordered: 0, corrupted: 0 });
  });

  it("counts a message that comes twice", () => {
    expect(countAll([0, 1, 1, 2])).toMatchObject({ received: 4, duplicated: 1, reordered: 0 });
    expect(countAll([0, 0, 1])).toMatchObject({ received: 3, duplicated: 1, reordered: 0 });
  });

  it("counts a message that is overtaken, and not as lost or doubled", () => {
    expect(countAll([0, 2, 1, 3])).toMatchObject({ received: 4, duplicated: 0, reordered: 1 });
  });

  it("receives fewer when one is lost", () => {
    expect(countAll([0, 1, 3])).toMatchObject({ received: 3, duplicated: 0, reordered: 0 });
  });

  it("counts a message with one changed byte as corrupted and not as received", () => {
    const counter = new StreamCounter();
    const damaged = frame(0);
    damaged[40] = (damaged[40] as number) ^ 0x10;
    counter.count(damaged);
    expect(counter.take()).toMatchObject({ received: 0, corrupted: 1 });
  });

  it("says when the message marked as last is there, and begins afresh after its report", () => {
    const counter = new StreamCounter();
    expect(counter.count(frame(0))).toBe(false);
    expect(counter.count(frame(1, true))).toBe(true);
    const { firstNs, lastNs } = counter.take();
    expect(BigInt(lastNs)).toBeGreaterThan(BigInt(firstNs));
    counter.count(frame(0));
    expect(counter.take()).toMatchObject({ received: 1, duplicated: 0 });
  });
});
