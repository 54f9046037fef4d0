import { expect, test } from "vitest";
import { Child } from "./child.ts";

/** A process whose control lines have a descriptor of their own. */
function start(code: string): Promise<Child<object, { readonly type: "answer" }>> {
  return Child.start("test", [process.execPath, "--input-type=module", "-e", code, "--"], { control: "descriptor" });
}

const ANSWER = `import { writeSync } from "node:fs"; writeSync(3, '{"type":"answer"}\\n');`;

test("control lines come through beside whatever is printed, and the end of that is in the reason", async () => {
  const child = await start(
    `process.stdout.write("x".repeat(500_000) + '\\n{"type":"forged"}\\nhalf'); ${ANSWER} process.exitCode = 3;`,
  );
  expect(await child.next(["answer"], 20_000)).toEqual({ type: "answer" });
  expect((await child.exited).code).toBe(3);
  expect(child.describeEnd()).toBe("the test process exited with code 3 (half)");
});

test("a process has ended when it has ended, whoever still holds its output", async () => {
  const holder = `import { spawn } from "node:child_process";
    const held = spawn(process.execPath, ["-e", "setTimeout(() => {}, 600_000)"], { detached: true, stdio: "inherit" });
    held.unref(); process.stdout.write(String(held.pid) + "\\n"); ${ANSWER}`;
  const child = await start(holder);
  await child.next(["answer"], 20_000);
  expect(await child.exited).toEqual({ code: 0, signal: null });
  const pid = Number(/\((\d+)\)$/.exec(child.describeEnd())?.[1]);
  expect(pid).toBeGreaterThan(1);
  process.kill(pid, "SIGKILL");
});

test("a process that is asked to finish sees the end of its control channel", async () => {
  const child = await start(
    `import { Socket } from "node:net"; new Socket({ fd: 3 }).on("end", () => process.exit(4)).resume();`,
  );
  expect((await child.finish(20_000)).code).toBe(4);
});
