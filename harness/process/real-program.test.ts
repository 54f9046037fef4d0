import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { programFailure } from "../../transports/support/program-failure.ts";
import { pythonWith, realProgram } from "./real-program.ts";

const directory = mkdtempSync(join(tmpdir(), "program-test-"));
afterAll(() => rmSync(directory, { recursive: true }));

test("a program that is no Python stays what it is called", () => {
  expect(realProgram("node")).toEqual({ path: "node" });
});

test("a program that is not there, one that fails and one that does not answer are three sentences", () => {
  expect(realProgram("ipcmark-no-such-program")).toEqual({ reason: "ipcmark-no-such-program not found; install it" });
  const failing = join(directory, "failing");
  writeFileSync(failing, "#!/bin/sh\necho broken >&2\nexit 3\n", { mode: 0o755 });
  expect(realProgram(failing)).toEqual({ reason: `${failing} cannot be run: broken` });
  const late = Object.assign(new Error("spawnSync slow ETIMEDOUT"), { code: "ETIMEDOUT" });
  expect(programFailure("slow", late, 5000)).toMatch(/^slow did not end within 5 s: is the machine busy/);
});

test.skipIf("reason" in realProgram("python3"))("a Python is found where it really lies", () => {
  expect(realProgram("python3")).toEqual({ path: expect.toSatisfy(isAbsolute) });
});

test.skipIf("reason" in realProgram("python3"))("a Python is chosen by the module that it needs", () => {
  expect(pythonWith("python3", "json")).toEqual(realProgram("python3"));
  expect(pythonWith("python3", "ipcmark_no_such_module")).toEqual({
    reason: expect.stringMatching(
      /^no Python of this machine has the module ipcmark_no_such_module; run: .*pip install ipcmark_no_such_module$/,
    ),
  });
  expect(pythonWith("ipcmark-no-such-program", "json")).toEqual({
    reason: "ipcmark-no-such-program not found; install it",
  });
});
