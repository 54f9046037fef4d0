import { describe, expect, it } from "vitest";
import { valuesIn } from "./command-values.ts";

const valued = (name: string, value: number, unit?: string, lower = true): [string, object] => [
  name,
  { value, unit, lower },
];

describe("the output of a command", () => {
  it.each([
    ["12.5\n", [valued("bench", 12.5)]],
    ["> team@1 bench\n> node bench.js\n\n1e3\n", [valued("bench", 1000)]],
    ['{"name":"p50","value":12,"unit":"us"}\nwarming up\n', [valued("p50", 12, "us")]],
    [
      '{"name":"a","value":1}\n {"name":"b","value":2,"lower":false,"more":[]} \n',
      [valued("a", 1), valued("b", 2, undefined, false)],
    ],
  ])("has values: %j", (output, wanted) => {
    expect(valuesIn(output, "bench")).toEqual({ values: new Map(wanted as [string, never][]) });
  });

  it.each([
    ["", "printed nothing"],
    [" \n", "printed nothing"],
    ["done in 5 ms\n", "printed no value (its last line: done in 5 ms)"],
    ["1\n2\n", "printed 2 numbers without names (its last line: 2)"],
    ["0\n", 'printed 0 for "bench"; a ratio needs values above zero'],
    ["-3\n", 'printed -3 for "bench"'],
    ["1e999\n", 'printed Infinity for "bench"'],
    ["NaN\n", "printed no value"],
    ['{"name":"a","value":0}\n', 'printed 0 for "a"'],
    ['{"name":"a","value":"5"}\n', 'in which value is "5" and must be a number'],
    ['{"name":"a","value":null}\n', "in which value is null and must be a number"],
    ['{"name":"","value":5}\n', "in which name is empty"],
    ['{"value":5}\n', "in which name is missing and must be a text"],
    ['{"name":"a","value":5,"lower":"yes"}\n', 'in which lower is "yes" and must be true or false'],
    ['{"name":"a","value":5}\n{"name":"a","value":6}\n', 'printed two values named "a"'],
    ['{"name":"a","value":5}\n{"name":"b"\n', 'printed a line that is no JSON ({"name":"b")'],
  ])("is refused with a reason: %j", (output, reason) => {
    expect(valuesIn(output, "bench")).toEqual({ reason: expect.stringContaining(reason) });
  });
});
