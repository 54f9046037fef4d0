import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Controls } from "./controls.ts";

/** Returns pids of canaries. The waker is a child of this process, the sleeper one of the waker. */
function canaries(): number[] {
  const wakers = childrenOf(process.pid);
  return [...wakers, ...wakers.flatMap(childrenOf)];
}

function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const isChild = /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] === String(parent);
        return isChild && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("canary.mjs");
      } catch {
        return false;
      }
    });
}

const hasProc = process.platform === "linux";

describe.runIf(hasProc)("the canary", () => {
  it("answers round after round from the same processes, and ends with the run", async () => {
    const controls = new Controls();
    try {
      const first = await controls.run("unpinned", true);
      const started = canaries();
      const second = await controls.run("unpinned", false);
      expect(first.echo?.p50).toBeGreaterThan(0);
      expect(second.echo).toBeNull();
      for (const { delaysNs } of [first, second]) {
        expect(delaysNs?.length).toBeGreaterThan(300);
        expect(delaysNs?.every((delay) => delay > 0)).toBe(true);
      }
      expect(started).toHaveLength(2);
      expect(canaries()).toEqual(started);
    } finally {
      await controls.end();
    }
    expect(canaries()).toEqual([]);
  });

  it("that was killed costs its round and no other", async () => {
    const controls = new Controls();
    try {
      await controls.run("unpinned", false);
      for (const pid of canaries()) process.kill(pid, "SIGKILL");
      expect((await controls.run("unpinned", false)).delaysNs).toBeNull();
      expect((await controls.run("unpinned", false)).delaysNs?.length).toBeGreaterThan(300);
    } finally {
      await controls.end();
    }
  });
});
