import { expect, test } from "vitest";
import { CHECKS } from "../driver/checks/catalog.ts";
import { loadTransport } from "../process/load-transport.ts";
import { type Batch, type CheckTarget, compete, LANES, planChecks, predictChecksMs } from "./check-plan.ts";

async function targets(...ids: readonly string[]): Promise<CheckTarget[]> {
  return Promise.all(
    ids.map(async (id) => {
      const reference = { id, module: null };
      return { transport: await loadTransport(reference), reference, peerLanguage: "node" };
    }),
  );
}

const batch = (target: CheckTarget | undefined): Batch => ({ target: target as CheckTarget, checks: [] });

test("checks that read clocks are apart from those that may run beside each other, and none is lost", async () => {
  const { together, alone } = planChecks(await targets("unix"), CHECKS);
  const ids = (batches: readonly Batch[]): string[] => batches.flatMap(({ checks }) => checks.map(({ id }) => id));
  expect(ids(alone)).toEqual(CHECKS.filter((check) => check.alone).map(({ id }) => id));
  expect([...ids(together), ...ids(alone)].sort()).toEqual(CHECKS.map(({ id }) => id).sort());
});

test("a check that a target is spared is planned for the others alone", async () => {
  const [unix, tcp] = await targets("unix", "tcp");
  const spared = { ...(tcp as CheckTarget), spared: new Set(["reconnect"]) };
  const { together } = planChecks([unix as CheckTarget, spared], CHECKS);
  const having = together.filter(({ checks }) => checks.some(({ id }) => id === "reconnect"));
  expect(having.map(({ target }) => target.transport.id)).toEqual(["unix"]);
  expect(together.find(({ target }) => target === spared)?.checks.length).toBeGreaterThan(0);
});

test("checks that kill the server come after those that share it, and otherwise nothing changes places", async () => {
  const [{ checks } = batch(undefined)] = planChecks(await targets("unix"), CHECKS).together;
  const killing = checks.filter((check) => check.killsPeer);
  expect(killing.length).toBeGreaterThan(0);
  expect(checks.slice(-killing.length)).toEqual(killing);
  const others = CHECKS.filter((check) => !check.killsPeer && !check.alone);
  expect(checks.slice(0, -killing.length)).toEqual(others);
});

test("mechanisms that live on one limit of the system never run beside each other, and others do", async () => {
  const [queue, notified, unix] = await targets("posix-mq", "posix-mq/notify", "unix");
  expect(compete(batch(queue), batch(notified))).toBe(true);
  expect(compete(batch(queue), batch(unix))).toBe(false);
  expect(compete(batch(unix), batch(unix))).toBe(false);
});

test("a prediction grows with what runs one after the other, and less with what runs side by side", async () => {
  const checks = CHECKS.filter((check) => !check.alone);
  const predict = async (...ids: readonly string[]): Promise<number> => predictChecksMs(await targets(...ids), checks);
  const one = await predict("unix");
  expect(await predict("unix", "tcp")).toBeLessThan(2 * one);
  const queues = [await predict("posix-mq"), await predict("posix-mq/notify")] as const;
  expect(await predict("posix-mq", "posix-mq/notify")).toBeCloseTo(queues[0] + queues[1]);
  expect(LANES).toBeGreaterThan(1);
});
