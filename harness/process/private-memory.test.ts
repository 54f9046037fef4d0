import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { heldBy } from "./private-memory.ts";

describe.skipIf(process.platform !== "linux")("what a process holds", () => {
  it("is near the sum over its single mappings, which the kernel counts apart", () => {
    const smaps = readFileSync(`/proc/${process.pid}/smaps`, "latin1");
    const kibibytes = [...smaps.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+)/gm)].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
    const held = heldBy([process.pid]);
    expect(Math.abs(held.privateBytes / (1024 * kibibytes) - 1)).toBeLessThan(0.1);
    expect(held.threads).toBeGreaterThan(4);
    expect(heldBy([process.pid, process.pid]).processes).toBe(2);
  });

  it("cannot be read of a process that has ended", () => {
    expect(() => heldBy([2 ** 22 + 1])).toThrow(/ENOENT/);
  });
});
