import { bytes, count, quantity } from "../harness/results/format.ts";
import { compareRounds, type Rounds, toldSide } from "../harness/results/ranking.ts";

/** Quantity along a line: the size of a message, or the load. */
export type Varied = "payload" | "rate" | "clients" | "inFlight";

/** Row at each value of one quantity, with its cost in each round: smaller is better. */
export interface Line {
  readonly name: string;
  readonly points: ReadonlyMap<number, Rounds>;
}

/**
 * Change of order of two rows between two values. `isTold`: ratios within the same rounds tell the two apart on both
 * sides. Otherwise only their medians change places, and this run cannot tell whether the order does.
 */
export interface Crossing {
  /** Name of the row ahead at `from`; `after` is ahead at `to`. */
  readonly before: string;
  readonly after: string;
  readonly from: number;
  readonly to: number;
  readonly isTold: boolean;
}

interface Step {
  readonly x: number;
  /** Side that is ahead: 1 for the first row, -1 for the second; 0 where this run does not tell the two apart. */
  readonly told: number;
  /** Side with the lower median ratio, told or not. */
  readonly leans: number;
}

/** Returns all changes of order between each two of the lines. */
export function crossingsOf(lines: readonly Line[]): Crossing[] {
  return lines.flatMap((one, at) => lines.slice(at + 1).flatMap((other) => crossingsOfTwo(one, other)));
}

function crossingsOfTwo(one: Line, other: Line): Crossing[] {
  const steps = stepsOf(one, other);
  const told = steps.filter((step) => step.told !== 0);
  const crossing = (from: Step, to: Step, isTold: boolean): Crossing => {
    const isFirst = (isTold ? from.told : from.leans) > 0;
    const [before, after] = isFirst ? [one.name, other.name] : [other.name, one.name];
    return { before, after, from: from.x, to: to.x, isTold };
  };
  const found = neighbours(told)
    .filter(([from, to]) => from.told !== to.told)
    .map(([from, to]) => crossing(from, to, true));
  const open = neighbours(steps.filter(({ leans }) => leans !== 0))
    .filter(([from, to]) => from.leans * to.leans < 0)
    .filter(([from, to]) => !found.some((each) => each.from <= from.x && to.x <= each.to));
  const [first] = open[0] ?? [];
  const [, last] = open.at(-1) ?? [];
  return first === undefined || last === undefined ? found : [...found, crossing(first, last, false)];
}

function stepsOf(one: Line, other: Line): Step[] {
  return [...one.points]
    .toSorted(([a], [b]) => a - b)
    .flatMap(([x, rounds]): Step[] => {
      const { ratio, interval } = compareRounds(rounds, other.points.get(x) ?? new Map());
      if (Number.isNaN(ratio)) return [];
      const told = toldSide(interval);
      return [{ x, told, leans: told === 0 ? Math.sign(1 - ratio) : told }];
    });
}

function neighbours<Item>(items: readonly Item[]): (readonly [Item, Item])[] {
  return items.slice(1).map((item, at) => [items[at] as Item, item] as const);
}

/** Formats a value of what varies: `4 KiB`, `2.00 k/s`, `8 clients`, `16 in flight`. */
export function variedText(over: Varied, value: number): string {
  switch (over) {
    case "payload":
      return bytes(value);
    case "rate":
      return `${quantity(value)}/s`;
    case "clients":
      return count(value, "client");
    case "inFlight":
      return `${value} in flight`;
  }
}

/** Writes a crossing as a sentence: `unix is ahead at 64 B, tcp at 4 KiB.` */
export function crossingText(over: Varied, { before, after, from, to, isTold }: Crossing): string {
  const [low, high] = [variedText(over, from), variedText(over, to)];
  if (isTold) return `${before} is ahead at ${low}, ${after} at ${high}.`;
  return `${before} and ${after} may change places between ${low} and ${high}: this run cannot tell.`;
}
