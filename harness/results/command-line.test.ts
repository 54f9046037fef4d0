import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { commandAgain, commandLineOf, wordsOf } from "./command-line.ts";

const again = (words: readonly string[], startedFrom?: "clone" | "package"): string | undefined =>
  commandAgain({ commandLine: commandLineOf(words), seed: 7, ...(startedFrom === undefined ? {} : { startedFrom }) });

it("repeats a run as it was typed there, with its seed once", () => {
  expect(again(["compare", "--need", "clients=4"], "clone")).toBe("npm run compare -- --need clients=4 --seed 7");
  expect(again(["compare", "--need", "clients=4"], "package")).toBe("npx ipcmark compare --need clients=4 --seed 7");
  expect(again(["measure"])).toBe("npx ipcmark measure --seed 7");
  expect(again(["compare", "--seed=3", "--quick"], "clone")).toBe("npm run compare -- --seed=3 --quick");
  expect(again(["compare", "--seed", "3"], "package")).toBe("npx ipcmark compare --seed 3");
});

it.skipIf(process.platform === "win32")("keeps every word, as a shell reads it back", () => {
  const words = ["compare", "--cmd", "it's $(touch x); `y`", 'a "b"\nc', "--transport", "./own mechanism.mjs"];
  expect(wordsOf(commandLineOf(words))).toEqual(words);
  const script = `npx() { printf '%s\\0' "$@"; }; ${again(words)}`;
  const { stdout } = spawnSync("sh", ["-c", script], { encoding: "utf8" });
  expect(stdout.split("\0").slice(0, -1)).toEqual(["ipcmark", ...words, "--seed", "7"]);
});

it("offers no command from a line that a shell could read in another way, or that changes something", () => {
  const lines = [
    "ipcmark compare; rm -rf x",
    "ipcmark compare $(x)",
    "sh compare",
    "ipcmark compare 'a",
    "ipcmark compare a\nb",
  ];
  for (const commandLine of [...lines, "ipcmark merge a b", ""])
    expect(commandAgain({ commandLine, seed: 1 }), commandLine).toBeUndefined();
});
