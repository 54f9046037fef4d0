import { describe, expect, it } from "vitest";
import type { Report } from "../harness/results/model.ts";
import { claimLines, claimsSummary } from "./claims.ts";
import { renderHtml } from "./html/render.ts";
import { renderMarkdown } from "./markdown.ts";
import { claimsText } from "./terminal/index.ts";
import { fixtureReport } from "./testing/fixture.ts";

/** In the fixture tcp takes 1.4 times as long as unix, and nothing else of these claims is there. */
const report: Report = {
  ...fixtureReport(),
  pick: null,
  claims: ["tcp-three-times-unix", "shm-50-ns", "grpc-heavy", "grpc-tcp-80-us", "an-id-of-another-version"],
};

describe("claims in words", () => {
  it("state the verdict, its figures with intervals, what was claimed, and the origin", () => {
    const [ratio, unknown, time, lacking] = claimLines(report).toSorted((a, b) => b.id.localeCompare(a.id));
    expect(ratio).toMatchObject({ status: "refuted", verdict: "refuted" });
    expect(ratio?.parts[0]).toMatch(
      /^64 B: tcp [\d.]+ µs, unix [\d.]+ µs: 1\.\d+× \([\d.]+–[\d.]+\); claimed 2\.00× to 4\.50×$/,
    );
    expect(ratio?.origin).toContain("rigtorp/ipc-bench");
    expect(unknown?.verdict).toMatch(/^not comparable here because the source measured on i7-12650H, and this time/);
    expect(unknown?.parts[0]).toMatch(/^64 B: shm\/spin [\d.]+ ns \([\d.]+–[\d.]+\); claimed 33\.3 ns to 74\.8 ns$/);
    expect(time?.verdict).toBe("not comparable here because ipcmark has gRPC over a Unix socket only");
    expect(lacking?.verdict).toBe("not examined: this run did not measure time; this run did not measure CPU time");
    expect(claimsSummary(claimLines(report))).toBe(
      "4 claims put to the test: 1 refuted, 2 not comparable here, 1 not examined",
    );
  });

  it("stand in the terminal within its width, in the page and in the summary", async () => {
    const text = claimsText(report, { columns: 90 });
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(90);
    const page = await renderHtml(report);
    const summary = renderMarkdown(report);
    for (const place of [text, page, summary]) {
      expect(place).toContain("4 claims put to the test");
      expect(place).toContain("refuted");
    }
    expect(page).toContain('<tr id="claim-tcp-three-times-unix">');
    expect(summary).toMatch(/\| .*3 times as long<br>.* \| ✗ refuted \| 64 B: tcp .*claimed 2\.00× to 4\.50× \|/);
    expect(summary).not.toContain("No pick");
  });

  it("are absent from a report that was not made for claims", async () => {
    const { claims: _, ...plain } = report;
    expect(claimsText(plain)).toBe("");
    expect(await renderHtml(plain)).not.toContain('id="claims"');
    expect(renderMarkdown(plain)).not.toContain("put to the test");
  });
});
