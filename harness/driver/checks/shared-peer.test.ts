import { expect, test } from "vitest";
import { channelJson } from "../../../transports/pipes/channel.ts";
import { checkOf, runTogether } from "../../testing/run-check.ts";

// Issue 4: the second check got the connection that the first had closed, as long as its server still lived.
test("a check that closes the only connection of the shared server leaves a fresh one to the next", async () => {
  const checks = ["conformance/lifecycle/client-of-a-process", "sequential-requests"].map(checkOf);
  const results = (await runTogether([channelJson], checks)).get("channel/json") ?? [];
  expect(results.map(({ scenario, status, reason }) => [scenario, status, reason])).toEqual(
    checks.map(({ id }) => [id, "passed", undefined]),
  );
}, 60_000);
