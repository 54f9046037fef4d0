import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { EXIT } from "../results/exit-codes.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const PACKAGE = new URL("../../package.json", import.meta.url);

test("a Node older than the package asks for is refused in one sentence, before anything else is loaded", () => {
  const pretend = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "22.17.1" } })`;
  const args = ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`, MAIN, "list"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 });
  const { engines } = JSON.parse(readFileSync(PACKAGE, "utf8")) as { engines: { node: string } };
  const least = engines.node.replace(">=", "");
  expect([status, stdout]).toEqual([EXIT.refused, ""]);
  expect(stderr).toBe(
    `ipcmark: Node 22.17.1 is too old: this program needs ${least} or newer; install that and try again\n`,
  );
});
