import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

interface Spot {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly xRounds: ReadonlyMap<number, number>;
  readonly yRounds: ReadonlyMap<number, number>;
}
interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}
type Point = Pick<Spot, "x" | "y">;
interface Front {
  placed(spots: readonly Spot[]): readonly { readonly place: string; readonly by: string }[];
  frontLine<Item extends Point>(points: readonly Item[]): Item[];
}
interface Places {
  placeLabels(
    labels: readonly (Point & { readonly width: number; readonly height: number })[],
    area: Box,
    obstacles?: readonly Box[],
  ): readonly ({ readonly box: Box } | null)[];
}

const clientFile = (name: string): string => pathToFileURL(join(import.meta.dirname, "client", name)).href;
const { placed, frontLine } = (await import(clientFile("front.js"))) as Front;
const { placeLabels } = (await import(clientFile("place-labels.js"))) as Places;

/** Builds a row whose rounds swing around both costs, up and down in turn. */
function spot(name: string, x: number, y: number, swing = 0.01, rounds = 8): Spot {
  const roundsOf = (cost: number): Map<number, number> =>
    new Map(Array.from({ length: rounds }, (_, at) => [at, cost * (at % 2 === 0 ? 1 + swing : 1 - swing)]));
  return { name, x, y, xRounds: roundsOf(x), yRounds: roundsOf(y) };
}

describe("the front of two costs", () => {
  const places = (spots: readonly Spot[]): string[] => placed(spots).map(({ place }) => place);

  test("has the rows that each other is told to be worse than in one cost, and names who beats the rest", () => {
    const found = placed([spot("fast", 9, 1), spot("thrifty", 1, 9), spot("worse", 10, 10), spot("between", 5, 5)]);
    expect(found.map(({ place, by }) => [place, by])).toEqual([
      ["front", ""],
      ["front", ""],
      ["beaten", "fast"],
      ["front", ""],
    ]);
  });

  test("leaves open what ratios within rounds do not tell, whatever the medians", () => {
    const near = { ...spot("near", 1.02, 1.02), yRounds: spot("", 1, 1.02, 0.05).yRounds };
    expect(places([spot("best", 1, 1, 0), near])).toEqual(["front", "open"]);
    expect(places([spot("best", 1, 1, 0.01, 5), spot("far", 9, 9, 0.01, 5)])).toEqual(["open", "open"]);
    expect(places([spot("same", 1, 1), spot("twin", 1, 1)])).toEqual(["open", "open"]);
    expect(places([spot("alone", 1, 1)])).toEqual(["front"]);
  });

  test("has a line that only falls, and below which no row lies in both", () => {
    const coordinate = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(fc.array(fc.record({ x: coordinate, y: coordinate }), { minLength: 1 }), (points) => {
        const line = frontLine(points);
        expect(line.map(({ y }) => y)).toEqual(line.map(({ y }) => y).toSorted((a, b) => b - a));
        for (const { x, y } of points) expect(line.some((one) => one.x <= x && one.y <= y)).toBe(true);
        for (const one of line)
          expect(points.some(({ x, y }) => x <= one.x && y <= one.y && (x < one.x || y < one.y))).toBe(false);
      }),
    );
  });
});

describe("names in a plot", () => {
  const area = { left: 0, top: 0, right: 400, bottom: 300 };

  test("lie inside it, over no other name and over no mark", () => {
    const label = fc.record({
      ...{ x: fc.integer({ min: 10, max: 390 }), y: fc.integer({ min: 10, max: 290 }) },
      ...{ width: fc.integer({ min: 20, max: 160 }), height: fc.constant(14) },
    });
    fc.assert(
      fc.property(fc.array(label, { maxLength: 45 }), (labels) => {
        const boxes = placeLabels(labels, area).flatMap((found) => found?.box ?? []);
        for (const [at, box] of boxes.entries()) {
          expect([box.left >= 0, box.top >= 0, box.right <= 400, box.bottom <= 300]).toEqual([true, true, true, true]);
          const isOver = (other: Box): boolean =>
            box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom;
          expect(boxes.slice(at + 1).some(isOver)).toBe(false);
          expect(labels.some(({ x, y }) => isOver({ left: x, right: x, top: y, bottom: y }))).toBe(false);
        }
      }),
    );
  });

  test("are all there where there is room, and the important ones where there is not", () => {
    const row = Array.from({ length: 12 }, (_, at) => ({ x: 30 + 30 * at, y: 150, width: 60, height: 14 }));
    expect(placeLabels(row, area)).not.toContain(null);
    const bar = { left: 0, right: 400, top: 120, bottom: 149 };
    for (const found of placeLabels(row, area, [bar]))
      expect(found === null || found.box.bottom <= bar.top || found.box.top >= bar.bottom).toBe(true);
    const heap = Array.from({ length: 40 }, () => ({ x: 200, y: 150, width: 90, height: 14 }));
    const found = placeLabels(heap, area);
    expect(found[0]).not.toBeNull();
    expect(found).toContain(null);
  });
});
