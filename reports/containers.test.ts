import { expect, it } from "vitest";
import type { CheckResult } from "../harness/results/model.ts";
import { containerRows } from "./containers.ts";
import { checkTables } from "./terminal/index.ts";

function tried(transport: string, status: CheckResult["status"], notes: CheckResult["notes"]): CheckResult {
  const about = { scenario: "container/sharing", title: "", kind: "scenario", peer: "node", durationMs: 1 } as const;
  return { ...about, transport, status, notes };
}

it("the table of containers has each mechanism that was tried, and what it found without it", () => {
  const checks = [
    tried("unix", "passed", { needs: "nothing more" }),
    tried("shm/futex", "passed", { needs: "IPC", withoutIt: "nobody listens", sharedMemoryBytes: 4096 }),
    tried("stdio", "not-applicable", {}),
  ];
  expect(containerRows(checks)).toEqual([
    ["unix", "nothing more", "–", "works"],
    ["shm/futex", "IPC", "4 KiB", "nobody listens"],
  ]);
  expect(checkTables({ checks })).toMatch(/^shm\/futex +IPC +4 KiB +nobody listens$/m);
  expect(checkTables({ checks: checks.slice(2) })).not.toContain("/dev/shm");
});
