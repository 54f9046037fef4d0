import { Command, Option } from "commander";
import { expect, test } from "vitest";
import { flagRows, flagsDocument } from "./docs-flags.ts";

test("the document of flags is that of the commands", async () => {
  await expect(await flagsDocument()).toMatchFileSnapshot("../harness/cli/FLAGS.md");
});

test("a flag of several commands has one row, hidden ones none, and a bar in a name does not end the cell", () => {
  const one = new Command("one").option("--out <a|b>", "where", "x").addOption(new Option("--old").hideHelp());
  const two = new Command("two").option("--out <a|b>", "where", "x").option("--no-c", "without C");
  const three = new Command("three");
  expect(flagRows([one, two, three])).toEqual([
    "| `--no-c` | two | without C |",
    "| `--out <a\\|b>` | one, two | where (default: x) |",
  ]);
});
