import { expect, test } from "vitest";
import type { Place } from "../../transports/contract/transport.ts";
import { tcp } from "../../transports/sockets/tcp.ts";
import { unix } from "../../transports/sockets/unix.ts";
import { CHECKS } from "../driver/checks/catalog.ts";
import type { CheckResult } from "../results/model.ts";
import type { CheckTarget } from "./check-plan.ts";
import type { DriverJob, ProcessSupervisor } from "./process-supervisor.ts";
import { type Progress, silent } from "./progress.ts";
import { runChecks } from "./run-checks.ts";

const place: Place = { directory: "/nowhere", prefix: "none" };
const targetOf = (transport: typeof unix, peerLanguage: string): CheckTarget => ({
  transport,
  reference: { id: transport.id, module: null },
  peerLanguage,
});

/** Passes every check of every driver at once, those of the first transport last. */
const passing = {
  async run({ start, onResult }: DriverJob) {
    if (start.work.kind !== "check") throw new Error(start.work.kind);
    if (start.transport.id === "unix") await new Promise((resolve) => setImmediate(resolve));
    for (const id of start.work.checks) onResult({ type: "check", id, status: "passed", notes: {}, durationMs: 1 });
    return { status: "done", ready: null };
  },
} as unknown as ProcessSupervisor;

const nameOf = ({ transport, scenario }: CheckResult): string => `${transport} ${scenario}`;

test("results are ordered by transport and catalogue, also during the run, and each is a step", async () => {
  const partial: string[][] = [];
  let soFar = (): CheckResult[] => [];
  const begun: number[] = [];
  const counting: Progress = {
    ...silent,
    begin: (steps) => begun.push(steps),
    step: () => partial.push(soFar().map(nameOf)),
  };
  const targets = [targetOf(unix, "node"), targetOf(tcp, "node")];
  const found = await runChecks(passing, place, targets, CHECKS, counting, (results) => {
    soFar = results;
  });
  const inOrder = targets.flatMap(({ transport }) => CHECKS.map(({ id }) => `${transport.id} ${id}`));
  expect(found.map(nameOf)).toEqual(inOrder);
  expect(begun).toEqual([partial.length]);
  expect(partial.some((names) => names[0]?.startsWith("tcp "))).toBe(true);
  for (const names of partial) expect(names).toEqual(inOrder.filter((name) => names.includes(name)));
});
