import { describe, expect, it } from "vitest";
import type { Report } from "../harness/results/model.ts";
import { claimLines, claimsSummary } from "./claims.ts";
import { renderHtml } from "./html/render.ts";
import { renderMarkdown } from "./markdown.ts";
import { claimsText } from "./terminal/index.ts";
import { fixtureReport } from "./testing/fixture.ts";

/** In the fixture fifo takes 70 % of the time of tcp with small messages, and more with large ones. */
const report: Report = {
  ...fixtureReport(),
  pick: null,
  claims: ["pipe-quarter-of-socket", "shm-50-ns", "grpc-heavy", "grpc-tcp-80-us", "an-id-of-another-version"],
};

describe("claims in words", () => {
  it("state the verdict, its figures with intervals, what was claimed, and the origin", () => {
    const [time, ratio, lacking, heavy] = claimLines(report).toSorted((a, b) => b.id.localeCompare(a.id));
    expect(ratio).toMatchObject({ status: "refuted", verdict: "refuted" });
    expect(ratio?.parts[0]).toMatch(
      /^64 B: fifo \([\d.]+ µs\) to tcp \([\d.]+ µs\): 0\.\d+× \([\d.]+–[\d.]+\); claimed 0\.167× to 0\.375×$/,
    );
    expect(ratio?.origin).toBe("pipe-quarter-of-socket; tendermint/tendermint, issue 2928; 2018-11-28");
    expect(time?.verdict).toMatch(/^not comparable here because the source measured on i7-12650H, and this time/);
    expect(time?.parts[0]).toMatch(/^64 B: shm\/spin [\d.]+ ns \([\d.]+–[\d.]+\); claimed 33\.3 ns to 74\.8 ns$/);
    expect(lacking?.verdict).toBe("not comparable here because ipcmark has gRPC over a Unix socket only");
    expect(heavy?.verdict).toBe(
      "not examined: this run has no result for time (grpc/unary and unix), CPU time (grpc/unary and unix)",
    );
    expect(claimsSummary(claimLines(report))).toBe("4 claims tested: 1 refuted, 2 not comparable here, 1 not examined");
  });

  it("stand in the terminal within its width, in the page and in the summary", async () => {
    const text = claimsText(report, { columns: 90 });
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(90);
    const page = await renderHtml(report);
    const summary = renderMarkdown(report);
    for (const place of [text, page, summary]) {
      expect(place).toContain("4 claims tested");
      expect(place).toContain("refuted");
    }
    expect(page).toContain('<tr id="claim-pipe-quarter-of-socket">');
    expect(summary).toMatch(
      /\| .*73 % at 64 KiB<br>.* \| ✗ refuted \| 64 B: fifo .*<br>64 KiB: fifo .*claimed 0\.487× to 1\.09× \|/,
    );
    expect(summary).not.toContain("No pick");
  });

  it("are absent from a report that was not made for claims", async () => {
    const { claims: _, ...plain } = report;
    expect(claimsText(plain)).toBe("");
    expect(await renderHtml(plain)).not.toContain('id="claims"');
    expect(renderMarkdown(plain)).not.toContain("claims tested");
  });
});
