import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { warningLines } from "./warnings.ts";

const plain = (warnings: readonly string[] | undefined): string[] =>
  stripVTControlCharacters(warningLines(warnings, { columns: 80 })).split("\n");

test("a warning is printed once, and of very many the first ones with how many more there are", () => {
  expect(plain(["the host is busy", "the host is busy", "\u001b[2J"])).toEqual([
    "warning: the host is busy",
    "warning: \\x1b[2J",
  ]);
  const many = plain(Array.from({ length: 20 }, (_, index) => `number ${index}`));
  expect([many.length, many.at(-1)]).toEqual([13, "warning: 8 more in the stored report"]);
  expect(plain(undefined)).toEqual([""]);
});
