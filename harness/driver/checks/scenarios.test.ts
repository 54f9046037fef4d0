import { beforeAll, describe, expect, test } from "vitest";
import { SCENARIOS } from "../../../scenarios/checks/index.ts";
import small from "../../../scenarios/mutants/small.ts";
import { REGISTRY } from "../../../transports/registry.ts";
import type { CheckResult } from "../../results/model.ts";
import { runJobs, runTogether, TEST_ALL } from "../../testing/run-check.ts";
import { CHECKS } from "./catalog.ts";

/** One transport for each way to bring two ends together; `npm run test:all` takes every id that works here. */
const REPRESENTATIVES = ["loopback", "unix", "stdio"];

/** For mechanisms with small messages: short checks out of those that send the largest one, or one of a fixed size. */
const SIZED = [
  "concurrent-clients/8",
  "connection-churn",
  "hostile-messages",
  "large-by-descriptor",
  "message-boundaries",
  "restart/after-stop",
  "conformance/exchange/boundaries",
  "conformance/exchange/too-large",
  "conformance/exchange/borrowed-is-a-copy",
  "conformance/failure/client-loss",
  "conformance/security/garbage",
];

const ids = TEST_ALL ? REGISTRY.map(({ id }) => id) : REPRESENTATIVES;
let results: ReadonlyMap<string, readonly CheckResult[]>;
let smallResults: ReadonlyMap<string, readonly CheckResult[]>;

beforeAll(
  async () => {
    const transports = await Promise.all(
      REGISTRY.filter(({ id }) => ids.includes(id)).map(async ({ load }) => {
        const transport = await load();
        return (await transport.probe()).available ? [transport] : [];
      }),
    );
    // All ids are checked as the command line does it: clock checks run alone, and rivals for a limit run apart.
    if (TEST_ALL) results = await runTogether(transports.flat(), CHECKS);
    else {
      const checks = SCENARIOS.map(({ id }) => id);
      results = await runJobs(transports.flat().map((transport) => ({ transport, module: null, checks })));
    }
    const sized = TEST_ALL ? CHECKS.map(({ id }) => id) : SIZED;
    const module = "scenarios/mutants/small.ts";
    smallResults = await runJobs(small.map((transport) => ({ transport, module, checks: sized })));
  },
  TEST_ALL ? 1_800_000 : 300_000,
);

describe.each(ids)("%s", (id) => {
  test("passes every check that applies to it", () => {
    const own = results.get(id) ?? [];
    const failed = own.filter(({ status }) => status === "failed");
    expect(failed.map(({ scenario, reason }) => `${scenario}: ${reason}`)).toEqual([]);
  });

  test("gives a reason for every check that does not apply", () => {
    const silent = (results.get(id) ?? []).filter(({ status, reason }) => status === "not-applicable" && !reason);
    expect(silent).toEqual([]);
  });
});

// A request of 272 bytes over a queue of 256 was once called a fault of the queue.
test.each(small.map(({ id }) => id))("no check sends more than %s claims to carry", (id) => {
  const own = smallResults.get(id) ?? [];
  const failed = own.filter(({ status }) => status === "failed");
  expect(failed.map(({ scenario, reason }) => `${scenario}: ${reason}`)).toEqual([]);
  expect(own.filter(({ status }) => status === "passed").length).toBeGreaterThan(6);
});

test("the representatives were really checked", () => {
  for (const id of REPRESENTATIVES) {
    const passed = (results.get(id) ?? []).filter(({ status }) => status === "passed");
    expect(passed.length, id).toBeGreaterThan(8);
  }
});
