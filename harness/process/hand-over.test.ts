import { expect, test } from "vitest";
import { startForOther } from "./hand-over.ts";

test.skipIf(process.platform === "win32")("a process that gets no owner can be ended, once", async () => {
  const handed = startForOther(["sh", "-c", "exec sleep 60"], process.env);
  if (handed === undefined) throw new Error("sh does not start");
  handed.release();
  handed.end();
  expect(await handed.exited).toEqual({ code: null, signal: "SIGKILL" });
  handed.end();
});

test("a program that is not there starts no process", () => {
  expect(startForOther(["/no/such/program"], process.env)).toBeUndefined();
});
