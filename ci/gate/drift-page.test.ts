import { expect, it } from "vitest";
import { renderDrift } from "../../reports/html/drift.ts";
import type { DriftRow } from "./drift.ts";
import { driftPage } from "./drift-page.ts";

const EVIL = `</style><script>alert(1)</script>"'<!--`;
const steady: DriftRow = {
  ...{ cell: "unix 64 B", machine: "m", entries: 12, level: "value", outcome: "steady", ratio: 1.01, steps: [] },
  ...{ levels: new Array(12).fill(1), dates: ["2026-01-01", "2026-02-01"] },
};
const drift: DriftRow = {
  ...steady,
  ...{ cell: "tcp 64 B", outcome: "drift", ratio: 1.2 },
  steps: [{ at: 5, commit: "3f2a9c1d", date: "2026-01-12T00:00:00.000Z", ratio: 1.2 }],
  levels: [1, 1, 1, 1, 1, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2],
};
const few: DriftRow = { ...steady, cell: "fifo 64 B", outcome: "too-few", levels: [1, 1.1] };

const pageOf = (rows: readonly DriftRow[]) =>
  driftPage(
    rows,
    rows.map(({ cell }) => cell),
    0.1,
    [],
  );

it("names what drifts, and does not call what is too short steady", () => {
  expect(pageOf([steady, drift]).sentence).toBe("Drift of more than 10.0 % above the best level: tcp 64 B");
  expect(pageOf([steady, few]).sentence).toBe(
    "No drift of more than 10.0 % in 1 series; 1 series too short to be examined",
  );
  expect(pageOf([few]).sentence).toBe("No series is long enough to be examined");
});

it("draws a dot for each run, a line for each level, and a numbered line where it changes", async () => {
  const page = await renderDrift(pageOf([drift]));
  const [svg = ""] = page.match(/<svg[\s\S]*?<\/svg>/) ?? [];
  const placesOf = (mark: string, attribute: string): number[] =>
    [...svg.matchAll(new RegExp(`class="${mark}"[^>]* ${attribute}="([\\d.]+)%?"`, "g"))].map(([, at]) => Number(at));
  const dots = placesOf("run", "cx");
  expect(dots).toHaveLength(12);
  const [before = 0, behind = 0] = [dots[4], dots[5]];
  const [change = 0] = placesOf("edge", "x1");
  expect([before < change, change < behind]).toEqual([true, true]);
  const [low = 0, high = 0, ...more] = placesOf("range", "y1");
  expect([low > high, more]).toEqual([true, []]);
  const [accepted = 0] = placesOf("accepted", "y1");
  expect([low > accepted, accepted > high]).toEqual([true, true]);
  expect(page).toContain("<li>+20.0\u00a0% at 3f2a9c1 (2026-01-12)</li>");
});

it("has no script, loads nothing, and shows hostile text as text", async () => {
  const found = { ...pageOf([{ ...drift, cell: EVIL }]), sentence: EVIL, defects: [EVIL] };
  const page = await renderDrift(found);
  expect(page).not.toMatch(/<script|<!--|https?:|url\(|src=/);
  expect(page).not.toContain(" style=");
  expect(page.match(/<\/style>/g)).toHaveLength(1);
});
