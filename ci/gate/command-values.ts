/** Values that a command of the user prints. */
import { flag, number, oneLine, optional, shape, shown, text } from "../../harness/process/rules.ts";
import { parseJson } from "../../harness/results/parse-json.ts";

export interface CommandValue {
  readonly value: number;
  readonly unit: string | undefined;
  /** True where a lower value is better. */
  readonly lower: boolean;
}

/** Values by their names; or why there are none, as the end of a sentence about the command. */
export type CommandValues = { readonly values: ReadonlyMap<string, CommandValue> } | { readonly reason: string };

interface PrintedLine {
  readonly name: string;
  readonly value: number;
  readonly unit?: string;
  readonly lower?: boolean;
}

const defectOf = shape<PrintedLine>({ name: text, value: number, unit: optional(text), lower: optional(flag) });
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Reads the output of a run: lines `{"name": …, "value": …, "unit"?: …, "lower"?: …}`, or one line that is a number.
 * Other lines, such as the header of `npm run`, are left out; a line that begins as an object is not.
 *
 * @param only name of a bare number
 */
export function valuesIn(output: string, only: string): CommandValues {
  const lines = output.split("\n").map((line) => line.trim());
  const objects = lines.filter((line) => line.startsWith("{"));
  if (objects.length > 0) return objectsIn(objects);
  const numbers = lines.filter((line) => NUMBER.test(line));
  const [first] = numbers;
  if (first === undefined || numbers.length > 1) {
    const last = lines.findLast((line) => line !== "");
    if (last === undefined) return { reason: "printed nothing" };
    const found = first === undefined ? "no value" : `${numbers.length} numbers without names`;
    return { reason: `printed ${found} (its last line: ${oneLine(last, 100)}); print ${WANTED}` };
  }
  const value = Number(first);
  const defect = ratioDefect(only, value);
  return defect === undefined ? { values: new Map([[only, { value, unit: undefined, lower: true }]]) } : defect;
}

const WANTED = 'one number, or a line {"name": "p50", "value": 12.5, "unit": "us"} for each value';

function objectsIn(lines: readonly string[]): CommandValues {
  const values = new Map<string, CommandValue>();
  for (const line of lines) {
    let printed: unknown;
    try {
      printed = parseJson(line);
    } catch {
      return { reason: `printed a line that is no JSON (${oneLine(line, 100)}); print ${WANTED}` };
    }
    const defect = defectOf(printed, "");
    if (defect !== undefined) return { reason: `printed ${oneLine(line, 100)}, in which ${defect}` };
    const { name, value, unit, lower = true } = printed as PrintedLine;
    if (name.trim() === "") return { reason: `printed ${oneLine(line, 100)}, in which name is empty` };
    if (values.has(name)) {
      return { reason: `printed two values named ${shown(name)}; print one, since the gate repeats the command` };
    }
    const unusable = ratioDefect(name, value);
    if (unusable !== undefined) return unusable;
    values.set(name, { value, unit, lower });
  }
  return { values };
}

/** A ratio needs values above zero. */
function ratioDefect(name: string, value: number): { readonly reason: string } | undefined {
  if (value > 0 && Number.isFinite(value)) return undefined;
  return { reason: `printed ${value} for ${shown(name)}; a ratio needs values above zero` };
}
