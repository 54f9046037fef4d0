import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Measurement, Report } from "../../harness/results/model.ts";
import { fixtureReport } from "../fixture.ts";
import { ABSENT, bytes, duration, durationRange, quantity, ratio } from "../format.ts";
import { bundle } from "./assets.ts";
import { html, jsonForScript } from "./markup.ts";
import { percentilePoints } from "./percentiles.ts";
import { renderHtml } from "./render.ts";

const report = fixtureReport();

describe("the page", () => {
  test("refers to nothing outside itself", async () => {
    const page = await renderHtml(report);
    const withoutScripts = page.replace(/<script[\s\S]*?<\/script>/g, "");
    const references = withoutScripts.match(/\b(src|srcset|href|action|data)\s*=\s*\S+/g);
    expect(references).toEqual(['href="#main">Skip']);
    expect(withoutScripts.match(/url\(|@import|https?:/g)).toBeNull();
    expect(page.includes("sourceMappingURL")).toBe(false);
  });

  test("has a text for every placeholder of an old report and does not stop at missing fields", async () => {
    const old = JSON.parse(
      JSON.stringify({
        schemaVersion: 1,
        environment: {},
        transports: report.transports,
        checks: [],
        measurements: report.measurements.map(
          ({ benchmark, transport, mode, placement, payloadBytes, status, latencyNs }) => ({
            ...{ benchmark, transport, mode, placement, payloadBytes, status, latencyNs },
          }),
        ),
      }),
    ) as Report;
    const page = await renderHtml(old);
    const visible = page.replace(/<(script|style)[\s\S]*?<\/\1>/g, "");
    expect(visible).toContain("not recorded");
    expect(visible.match(/.{30}(undefined|NaN|\[object).{10}/g)).toBeNull();
  });

  test("is rendered for a run without measurements, checks or pick", async () => {
    const empty: Report = { ...report, measurements: [], checks: [], limits: [], claims: [], pick: null, warnings: [] };
    const page = await renderHtml(empty);
    expect(page).toContain("Nothing was measured in this run");
    expect(page).toContain("No check ran");
  });

  test("leaves out histograms of single trials when the report is large, and says so", async () => {
    const first = report.measurements.find((cell) => cell.trials.length > 0) as Measurement;
    const trials = first.trials.map((trial) => ({ ...trial, histogram: "A".repeat(2_000_000) }));
    const page = await renderHtml({ ...report, measurements: [{ ...first, trials }] });
    expect(page.length).toBeLessThan(4_000_000);
    expect(page).toContain("were left out of this copy");
  });
});

describe("text from a report", () => {
  test("is escaped in markup and cannot end a script element", () => {
    const hostile = `</script><b title="x">'&`;
    expect(html`<p>${hostile}</p>`.text).toBe("<p>&lt;/script&gt;&lt;b title=&quot;x&quot;&gt;&#39;&amp;</p>");
    const embedded = jsonForScript({ hostile }).text;
    expect(embedded).not.toContain("<");
    expect(JSON.parse(embedded)).toEqual({ hostile });
  });
});

describe("percentile points", () => {
  test("rise with the percentile and end where fewer than 20 samples lie beyond", () => {
    const cell = report.measurements.find((one) => one.histogram !== undefined && one.latencyNs !== undefined);
    const points = percentilePoints(cell?.histogram ?? "");
    if (typeof points === "string") throw new Error(points);
    const values = points.map(([, ns]) => ns);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    const count = cell?.latencyNs?.count ?? 0;
    expect(points.at(-1)?.[0]).toBeCloseTo(count / 20, -1);
  });

  test("are replaced by a sentence where the histogram is damaged", () => {
    expect(percentilePoints("bm90IGEgaGlzdG9ncmFt")).toMatch(/^histogram unreadable: /);
  });
});

describe("the client", () => {
  test("formats numbers exactly as the terminal does", async () => {
    const file = pathToFileURL(join(import.meta.dirname, "client", "format.js")).href;
    const server = { bytes, duration, durationRange, quantity, ratio };
    const client = (await import(file)) as typeof server;
    const positive = fc.double({ min: 1e-3, max: 1e14, noNaN: true });
    const names = ["duration", "bytes", "quantity", "ratio"] as const;
    fc.assert(
      fc.property(positive, positive, (a, b) => {
        for (const name of names) expect(client[name](a)).toBe(server[name](a));
        expect(client.durationRange([a, b], a)).toBe(server.durationRange([a, b], a));
      }),
    );
    expect(client.duration(null)).toBe(ABSENT);
  });

  test("is bundled without import and export statements", () => {
    const text = bundle([
      `import {\n  a,\n} from "./a.js";\nexport function b() {}\n/** @typedef {import("x").Y} Y */`,
    ]);
    expect(text).not.toMatch(/^(import|export) /m);
    expect(text).toContain("function b() {}");
  });
});
