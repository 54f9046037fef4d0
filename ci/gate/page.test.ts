import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StoreError } from "../../harness/results/store.ts";
import { renderGate } from "../../reports/html/gate.ts";
import { gateIn, isGate } from "./load-gate.ts";
import { storedGate } from "./page.ts";
import type { GateResult, GateRow } from "./result.ts";
import { storedGateFixture } from "./testing/stored-gate.ts";
import { tableOf } from "./words.ts";

const TEXT = JSON.stringify(storedGateFixture());
const stored = (): GateResult => gateIn(JSON.parse(TEXT), "gate.json", "name another");

/** Returns the stored gate with some fields of the row of this transport and metric changed. */
function withRow(transport: string, metric: string, change: Partial<GateRow>): GateResult {
  const gate = stored();
  const rows = gate.rows.map((row) =>
    "transport" in row.cell && row.cell.transport === transport && row.metric === metric ? { ...row, ...change } : row,
  );
  return { ...gate, rows };
}

const isDrawn = ({ estimate }: { readonly estimate?: number }): boolean => estimate !== undefined;

describe("a stored gate", () => {
  it("gives the same verdict, rows and budgets again", () => {
    const { page, found } = storedGate(stored());
    const fixture = storedGateFixture();
    expect(found.differences).toEqual([]);
    expect(found.rows).toEqual(fixture.rows);
    expect(found.budgets).toEqual(fixture.budgets);
    expect(page.notices).toEqual([]);
    const drawn = page.rows.filter(isDrawn);
    expect(drawn).toHaveLength(8);
    for (const { estimate = Number.NaN, range: [low, high] = [0, 0], bound = 0 } of drawn)
      expect([low < estimate, estimate < high, high <= bound]).toEqual([true, true, true]);
    expect(page.sentence).toMatch(
      /^regression: shm\/futex .* is broken: head: lost 3 messages; tcp .* 11\.\d % slower/,
    );
  });

  it("has the verdict of its pairs where the file has another, and names what differs", () => {
    const { page, found } = storedGate(withRow("tcp", "p50", { outcome: "not-slower" }));
    expect(found.differences).toEqual([
      expect.stringMatching(/^the stored verdict is "regression: shm/),
      "tcp (event, same-cpu) 64 B p50: stored as not slower, its pairs give slower",
    ]);
    expect(page.notices[0]).toContain("what is shown follows from its pairs");
    expect(page.rows.find(({ name }) => name.startsWith("tcp (event, same-cpu) 64 B p50"))?.verdict).toBe("slower");
    expect(storedGate(withRow("shm/futex", "p50", { outcome: "missing" })).found.differences.slice(1)).toEqual([
      "shm/futex (blocking, two-cpus) 4096 B p50: stored as did not run, its pairs give broken",
    ]);
    const fewer = storedGate({ ...stored(), looks: { alpha: 0.001, step: 10, most: 40 } });
    expect(fewer.found.rows.flatMap(({ evidence }) => evidence?.looks ?? [])).toEqual(Array(8).fill(2));
    expect(storedGate(withRow("unix", "p50", { head: 1 })).found.differences).toEqual([
      "unix (event, same-cpu) 64 B p50: the same verdict, but its stored figures are not those of its pairs",
    ]);
  });

  it("has no verdict where its pairs were removed", () => {
    const gate = stored();
    const cut = {
      ...gate,
      pairs: gate.pairs.map((cell) => ({ ...cell, pairs: cell.pairs.slice(0, 5) }) as typeof cell),
    };
    const { rows } = storedGate(cut).found;
    expect(rows.find(({ outcome, reason }) => outcome === "missing" && reason?.includes("20 pairs"))).toBeDefined();
    expect(storedGate({ ...gate, pairs: [] }).page.sentence).toMatch(/^incomplete: /);
  });

  it("keeps an accepted regression as long as it is one", () => {
    const accepted = { until: "2026-12-31", reason: "known" };
    expect(storedGate(withRow("tcp", "p50", { accepted })).found.differences).toEqual([]);
    const { found } = storedGate(withRow("unix", "p50", { accepted, outcome: "regression" }));
    expect(found.rows.filter((row) => row.accepted !== undefined)).toEqual([]);
  });

  it("without levels keeps what it has, and the page says so", () => {
    const { looks: _, ...old } = stored();
    expect(storedGate(old).page.notices).toEqual([expect.stringMatching(/^The verdict is the stored one/)]);
  });

  it("that was interrupted shows the changes so far and no verdict", async () => {
    const gate = withRow("fifo", "p50", { outcome: "interrupted" });
    const rows = gate.rows.map((row) => {
      if (row.outcome !== "interrupted") return row;
      const { cell, metric, outcome, notes } = row;
      return { cell, metric, outcome, notes };
    });
    const interrupted = { ...gate, rows, complete: false };
    const { page } = storedGate(interrupted);
    expect(page.sentence).toBe("interrupted after 41 s: partial, no verdict");
    const partial = page.rows.find(({ verdict }) => verdict === "interrupted");
    expect(partial).toMatchObject({ tone: "open", base: "19.1 µs", pairs: "20", reason: "" });
    expect(partial?.estimate).toBeCloseTo(0.05, 1);
    expect(partial?.bound).toBeUndefined();
    expect(await renderGate(page)).toContain("interrupted");
    // Records that name the interruption in the reason alone are older.
    const older = JSON.stringify(interrupted).replace('"interrupted"', '"missing","reason":"the run was interrupted"');
    expect(gateIn(JSON.parse(older), "gate.json", "")).toEqual(interrupted);
    expect(storedGate({ ...gate, rows: [], pairs: [], complete: false }).page.rows).toEqual([]);
  });
});

/** Characters that a terminal could obey, besides line ends. */
const OBEYED = /(?!\n)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;

/** Everything inside, as a way to each place; of a list, its first two elements. */
function placesIn(value: unknown, way: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [way];
  const parts = Array.isArray(value) ? Object.entries(value).slice(0, 2) : Object.entries(value);
  return [way, ...parts.flatMap(([name, part]) => placesIn(part, [...way, name]))];
}

const STRANGE: readonly unknown[] = [
  ...[null, undefined, true, 0, -1, 1, 0.5, 1e18, 1e300, 5e-324, Number.NaN],
  ...["", "x", "constructor", "__proto__", "p99", "\u001b[2J\u202e\n\u2028", "x".repeat(100_000), "</script><!--"],
  ...[[], {}, [[]], [null], [0, 0], [2, 1], { length: -1 }, { toString: null }, Array(3000).fill({}), { p50: "x" }],
];

describe("a gate.json of which one value is something else", () => {
  const places = placesIn(JSON.parse(TEXT));

  it("is rendered, or refused with one sentence", async () => {
    const counts = { rendered: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), fc.constantFrom(...STRANGE), async (way, value) => {
        const gate = JSON.parse(TEXT);
        const last = way.at(-1);
        const parent = way.slice(0, -1).reduce((part, name) => part[name], gate);
        if (last !== undefined) parent[last] = value;
        let found: GateResult;
        try {
          found = gateIn(last === undefined ? value : JSON.parse(JSON.stringify(gate)), "gate.json", "name another");
        } catch (error) {
          expect(error).toBeInstanceOf(StoreError);
          expect((error as Error).message).not.toContain("\n");
          counts.refused++;
          return;
        }
        const shown = storedGate(found);
        const page = await renderGate(shown.page);
        expect(page).not.toMatch(OBEYED);
        expect(page).not.toMatch(/<script|<!--/);
        expect([tableOf(shown.found.rows), ...shown.page.notices, shown.page.sentence].join("\n")).not.toMatch(OBEYED);
        counts.rendered++;
      }),
      { numRuns: process.env["IPCMARK_TEST_ALL"] ? 20_000 : 150 },
    );
    expect(Math.min(counts.rendered, counts.refused), "both happen").toBeGreaterThan(0);
  });

  it("is shown with escapes where all its texts are hostile", async () => {
    const evil = "\u001b]0;owned\u0007\u009b2J\u202eevil\n\r</script><!--\u2028";
    const keep = /^(metric|outcome|mode|placement|of|id|binding)$/;
    const hostile = JSON.parse(TEXT, (key, value) =>
      typeof value === "string" && !keep.test(key) ? `${value}${evil}` : value,
    );
    hostile.looks.alpha = 1e-9;
    const { page, found } = storedGate(gateIn(hostile, "gate.json", ""));
    const shown = [await renderGate(page), tableOf(found.rows), ...page.notices, page.sentence].join("\n");
    expect(found.differences.length).toBeGreaterThan(0);
    expect(shown).not.toMatch(OBEYED);
    expect(shown).toContain("\\x1b]0;owned\\x07\\x9b2J\\u202eevil\\n\\r");
  });

  it("is refused with its place, and where it would take minutes", () => {
    const refusal = (change: (gate: ReturnType<typeof JSON.parse>) => unknown): string => {
      const gate = JSON.parse(TEXT);
      change(gate);
      try {
        gateIn(gate, "gate.json", "name another");
      } catch (error) {
        return (error as Error).message;
      }
      return "accepted";
    };
    expect(refusal((gate) => Object.assign(gate.rows[2].evidence, { p: 2 }))).toBe(
      '"gate.json" is no record of a gate (/rows/2/evidence/p: expected <= 1, found 2); name another',
    );
    expect(refusal((gate) => void delete gate.rows[2].evidence)).toContain('/rows/2: "evidence" is missing');
    expect(refusal((gate) => Object.assign(gate.pairs[0].pairs[0].base, { p50: 0 }))).toContain(
      "/pairs/0/pairs/0/base/p50",
    );
    const many = (gate: ReturnType<typeof JSON.parse>): void => {
      gate.pairs[0].pairs = Array(2000).fill(gate.pairs[0].pairs[0]);
      gate.rows = Array(20).fill(gate.rows[2]);
    };
    expect(refusal(many)).toContain("too many rows with too many pairs");
    expect(refusal((gate) => Object.assign(gate.looks, { most: 2 ** 53 - 1 }))).toContain("/looks: too many looks");
  });
});

it("tells a gate from a report by its content", () => {
  expect(isGate(JSON.parse(TEXT))).toBe(true);
  expect([null, [], {}, { schemaVersion: 2, measurements: [] }].map(isGate)).toEqual([false, false, false, false]);
});
