import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { pick } from "../harness/pick/pick.ts";
import { curvesOf } from "../harness/results/curves.ts";
import type { Measurement, Report } from "../harness/results/model.ts";
import { renderHtml } from "./html/render.ts";
import { renderMarkdown } from "./markdown.ts";
import { pairTables } from "./pairs.ts";
import { answer, compareTables, pairsTables } from "./terminal/index.ts";
import { fixtureReport } from "./testing/fixture.ts";

const plain = fixtureReport();
const python = { language: "python", version: "3.11.2" };
const isOurs = ({ transport, placement, mode, benchmark }: Measurement): boolean =>
  transport === "unix" &&
  placement === "two-cpus" &&
  mode === "event" &&
  ["round-trip", "throughput"].includes(benchmark);
const unix = plain.measurements.filter(isOurs);
/** Ten times faster than Node's rows: ranked among them, they would win everything. */
const faster = (row: Measurement): Measurement =>
  row.status !== "measured" || row.latencyNs === undefined
    ? row
    : { ...row, latencyNs: { ...row.latencyNs, p50: row.latencyNs.p50 / 10 }, interval: {} };
const report: Report = {
  ...plain,
  measurements: [
    ...plain.measurements,
    ...unix.map((row) => ({ ...row, peer: python })),
    ...unix.map((row) => ({ ...faster(row), client: python })),
    ...unix.map((row) => ({ ...faster(row), client: python, peer: python, mode: "blocking" as const })),
    ...unix.map((row): Measurement => {
      const { benchmark, model, transport, placement, payloadBytes, inFlight, clients, ratePerSecond, codec } = row;
      const cell = { benchmark, model, payloadBytes, inFlight, clients, ratePerSecond, codec, placement };
      const reason = "no Python of this machine has the module zmq";
      const none = { messages: null, trials: [], warnings: [] };
      const ends = { mode: "event", peer: row.peer, client: { language: "python", version: "" } } as const;
      return { ...cell, ...ends, ...none, transport: `${transport}-2`, status: "unavailable", reason };
    }),
  ],
};

test("pairs of languages stand side by side, with versions and how each end waits", () => {
  const [table, ...others] = pairTables(report);
  expect(others).toEqual([]);
  expect(table?.mechanisms.map(({ transport }) => transport)).toEqual(["unix", "unix-2"]);
  const [first, second] = table?.mechanisms ?? [];
  const { node } = plain.environment;
  expect(first?.lines.map(({ name, waits }) => [name, waits])).toEqual([
    [`node ${node} → node ${unix[0]?.peer.version}`, "event loop → event loop"],
    [`node ${node} → python 3.11.2`, "event loop → blocking"],
    [`python 3.11.2 → node ${unix[0]?.peer.version}`, "blocking → event loop"],
    ["python 3.11.2 → python 3.11.2", "blocking → blocking"],
  ]);
  expect(first?.lines.every(({ cells }) => cells?.length === table?.columns.length)).toBe(true);
  expect(second?.lines).toMatchObject([{ reason: "unavailable: no Python of this machine has the module zmq" }]);
});

test("the same table is in the terminal, on the page and in the summary; a report without them has none", async () => {
  const text = stripVTControlCharacters(pairsTables(report, { columns: 160 }));
  expect(text).toMatch(/python 3\.11\.2 → python 3\.11\.2 +blocking → blocking +\d/);
  expect(await renderHtml(report)).toContain('<section id="pairs">');
  expect(renderMarkdown(report)).toMatch(/\| python 3\.11\.2 → python 3\.11\.2 \| blocking → blocking \|/);
  expect(pairsTables(plain)).toBe("");
  expect(await renderHtml(plain)).not.toContain('id="pairs"');
});

test("rows with a client in Python change no ranking, no answer, no pick and no curve", () => {
  const options = { columns: 160 };
  const withServers = { ...report, measurements: report.measurements.filter(({ client }) => client === undefined) };
  expect(compareTables(report, options)).toBe(compareTables(withServers, options));
  expect(answer(report, options)).toBe(answer(withServers, options));
  const question = {
    payloads: [64],
    modes: ["event"],
    placement: "two-cpus",
    benchmark: "round-trip",
    peer: "node",
  } as const;
  expect(pick(report, question)?.ranking).toEqual(pick(withServers, question)?.ranking);
  expect(curvesOf(report.measurements)).toEqual(curvesOf(withServers.measurements));
});
