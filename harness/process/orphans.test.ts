import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { endGroup, endOrphans, RUN_VARIABLE } from "./orphans.ts";

// Of this test alone: another one of the same names on this machine would end these processes.
const [RUN, OTHER_RUN] = [1, 2].map(() => `ipcmark-${randomBytes(8).toString("hex")}`) as [string, string];

function sleeper(prefix: string) {
  const child = spawn("sleep", ["60"], { env: { ...process.env, [RUN_VARIABLE]: prefix }, detached: true });
  return { child, exited: once(child, "exit") as Promise<[number | null, string | null]> };
}

describe.skipIf(process.platform !== "linux")("what lives of a run whose coordinator is dead", () => {
  it("is ended even while it is stopped, and processes of other runs are not", async () => {
    const [orphan, other] = [sleeper(RUN), sleeper(OTHER_RUN)];
    try {
      await Promise.all([once(orphan.child, "spawn"), once(other.child, "spawn")]);
      orphan.child.kill("SIGSTOP");
      expect(await endOrphans(RUN)).toBe(1);
      expect(await orphan.exited).toEqual([null, "SIGKILL"]);
      expect(other.child.exitCode ?? other.child.signalCode).toBeNull();
      expect(await endOrphans(RUN)).toBe(0);
    } finally {
      for (const { child } of [orphan, other]) child.kill("SIGKILL");
    }
  });

  it("is not taken for a process of the run when it only has the number of a group", async () => {
    const other = sleeper(OTHER_RUN);
    try {
      await once(other.child, "spawn");
      endGroup(other.child.pid as number, RUN);
      expect(other.child.kill(0)).toBe(true);
      expect(other.child.signalCode).toBeNull();
      endGroup(other.child.pid as number, OTHER_RUN);
      expect(await other.exited).toEqual([null, "SIGKILL"]);
    } finally {
      other.child.kill("SIGKILL");
    }
  });
});
