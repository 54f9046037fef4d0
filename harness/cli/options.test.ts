import { Command } from "commander";
import { expect, test } from "vitest";
import { requestOf } from "./measure.ts";
import { type MeasureOptions, withMeasuring } from "./options.ts";

const length = { rule: "fixed", effort: "quick", trials: 1, strict: false } as const;

test.each([
  [[], []],
  [["--no-c-baseline"], undefined],
  [["--no-limits"], undefined],
])("%j asks for plain C at %j", (flags, asked) => {
  const command = withMeasuring(new Command()).parse(flags, { from: "user" });
  expect(requestOf(command.opts<MeasureOptions>(), [], [], length, 1).cBaseline).toEqual(asked);
  expect(command.helpInformation()).not.toContain("limits");
});
