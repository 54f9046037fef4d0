import { isAbsolute } from "node:path";
import { expect, test } from "vitest";
import { realProgram } from "./real-program.ts";

test("a program that is no Python stays what it is called, and one that is not there is none", () => {
  expect(realProgram("node")).toBe("node");
  expect(realProgram("ipcmark-no-such-program")).toBeUndefined();
});

test.skipIf(realProgram("python3") === undefined)("a Python is found where it really lies", () => {
  expect(isAbsolute(realProgram("python3") ?? "")).toBe(true);
});
