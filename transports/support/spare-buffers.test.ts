import { expect, test } from "vitest";
import { SpareBuffers } from "./spare-buffers.ts";

const of = (bytes: number, fill: number): Uint8Array => new Uint8Array(bytes).fill(fill);

test("a buffer that came back is used again, and one that did not is never handed out twice", () => {
  const spare = new SpareBuffers();
  const [first, second] = [spare.copy(of(5000, 1)), spare.copy(of(5000, 2))];
  expect(first.equals(of(5000, 1))).toBe(true);
  expect(second).not.toBe(first);
  spare.giveBack(first);
  const third = spare.copy(of(5000, 3));
  expect(third).toBe(first);
  expect(spare.copy(of(5000, 4))).not.toBe(first);
  expect(third.equals(of(5000, 3))).toBe(true);
});

test("a copy has the length of its message, whatever came back before", () => {
  const spare = new SpareBuffers();
  spare.giveBack(spare.copy(of(9000, 1)));
  for (const bytes of [0, 1, 4096, 8999, 9001, 2_000_000])
    expect(spare.copy(of(bytes, 7)).equals(of(bytes, 7))).toBe(true);
});

test("no more than a mebibyte is kept", () => {
  const spare = new SpareBuffers();
  const copies = Array.from({ length: 40 }, () => spare.copy(of(65_536, 1)));
  for (const copy of copies) spare.giveBack(copy);
  const again = Array.from({ length: 40 }, () => spare.copy(of(65_536, 2)));
  expect(again.filter((copy) => copies.includes(copy)).length).toBe(16);
});
