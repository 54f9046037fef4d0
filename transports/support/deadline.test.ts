import { execFileSync } from "node:child_process";
import { constants, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ownFolder } from "../testing/own-folder.ts";
import { Deadline } from "./deadline.ts";

const own = ownFolder();

/** Keeps the thread busy: no timer fires and nothing is read. */
function block(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

test("a deadline fires after its time, and not when it was cleared", async () => {
  const startMs = performance.now();
  let fired = 0;
  const cleared = new Deadline(20, () => fired++);
  cleared.clear();
  await new Promise<void>((resolve) => new Deadline(50, resolve));
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(50);
  expect(fired).toBe(0);
});

test.skipIf(process.platform === "win32")(
  "what arrived while the process was busy is read before it fires",
  async () => {
    const path = join(own.directory, "fifo");
    execFileSync("mkfifo", [path]);
    const input = new Socket({ fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK), writable: false });
    own.ended.push(() => rmSync(path));
    own.ended.push(() => void input.destroy());
    const order: string[] = [];
    input.on("data", () => order.push("data"));
    const fired = new Promise<void>((resolve) => new Deadline(1, () => resolve(void order.push("deadline"))));
    // When this returns, the time is over and the bytes are in the kernel.
    execFileSync("sh", ["-c", `echo answer > '${path}'; sleep 0.02`]);
    await fired;
    expect(order).toEqual(["data", "deadline"]);
  },
);

test("time in which the process could not run does not count", async () => {
  const limitMs = 400;
  const startMs = performance.now();
  const fired = new Promise<void>((resolve) => new Deadline(limitMs, resolve));
  block(2 * limitMs);
  await fired;
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(2 * limitMs + limitMs / 2);
});
