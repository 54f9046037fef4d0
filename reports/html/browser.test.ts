import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ratio } from "../../harness/results/format.ts";
import { loadReport } from "../../harness/results/load-report.ts";
import type { Quantiles, Report } from "../../harness/results/model.ts";
import { blocksOf } from "../blocks.ts";
import { CHROMIUM, drawn, IN_CHROMIUM, inkOf, type OpenedPage, Pages, rankedNames } from "../testing/browser.ts";
import { fixtureReport } from "../testing/fixture.ts";
import { fullReport } from "../testing/fixture-machine.ts";
import { renderHtml } from "./render.ts";

const FIGURES = ["sizes", "percentiles", "trials", "throughput"] as const;

describe.skipIf(!CHROMIUM)(`the page ${IN_CHROMIUM}`, () => {
  const report = fixtureReport();
  let pages: Pages;
  /** One page for all tests that only read. */
  let still: OpenedPage;

  beforeAll(async () => {
    pages = await Pages.start();
    still = await open(report);
  });
  afterEach(() => pages.closeAllBut(still.page));
  afterAll(() => pages?.end());

  /** Opens the page of a report; `trouble` collects console errors, exceptions and all requests besides its own. */
  const open = async (of: Report, hash = ""): Promise<OpenedPage> => pages.open(await renderHtml(of), hash);

  test("shows verdict, ranking and drawn charts, without an error and without a request", async () => {
    const { page, trouble } = still;
    expect(await page.locator("h1").innerText()).toMatch(/^Use unix for 64\sB and 4\sKiB requests$/);
    expect(await page.locator("#ranking-table").isVisible()).toBe(true);
    for (const id of FIGURES) expect([id, await inkOf(page, id)]).toEqual([id, expect.toSatisfy((ink) => ink > 500)]);
    expect(trouble).toEqual([]);
  });

  test("has answer, certainty, question and picture on the first screen, and at most 8 pages of paper", async () => {
    const { page } = await open(loadReport(join(import.meta.dirname, "../sample/compare.json")));
    for (const [width, height] of [
      [1440, 900],
      [390, 844],
    ] as const) {
      await page.setViewportSize({ width, height });
      const ends = await page
        .locator(".answer h1, .certainty, .asked, .bars li:nth-child(-n+5)")
        .evaluateAll((all) =>
          all.map((one) => one.getBoundingClientRect()).map(({ right, bottom }) => [right, bottom]),
        );
      expect(ends).toHaveLength(8);
      for (const [right = 0, bottom = 0] of ends) expect([right <= width, bottom <= height]).toEqual([true, true]);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    }
    const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
    expect([3, 4, 5, 6, 7, 8]).toContain(pdf.match(/\/Type \/Page\b/g)?.length);
    await page.emulateMedia({ media: "print" });
    const heights = await page
      .locator("#controls, .contents, #details, #checks > details > dl")
      .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height > 0));
    expect(heights).toEqual([false, false, false, true]);
    // A4 without its margins: one wider table would shrink all that is printed.
    await page.setViewportSize({ width: 703, height: 900 });
    const tables = page.locator("table:visible");
    const rights = await tables.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().right));
    expect(rights.length).toBeGreaterThan(5);
    expect(Math.max(...rights)).toBeLessThanOrEqual(703);
  });

  test("prints from its first sheet on, with the names of lines also where the window is narrow", async () => {
    const { page } = await open(report);
    await page.setViewportSize({ width: 500, height: 900 });
    // The last 10 px lie beyond the plot and the ends of leading lines, which are faint: only names are inked there.
    const named = await page.evaluate(`(() => {
      dispatchEvent(new Event("beforeprint"));
      const canvas = document.getElementById("trials-chart");
      const { data } = canvas.getContext("2d").getImageData(canvas.width - 10, 0, 10, canvas.height);
      return data.filter((value, at) => at % 4 === 3 && value > 128).length;
    })()`);
    expect(named).toBeGreaterThan(9);
    await page.emulateMedia({ media: "print" });
    expect(await page.evaluate(`getComputedStyle(document.getElementById("verdict")).breakInside`)).toBe("auto");
  });

  test("ranks as the terminal does: same order, same ratios, baselines below", async () => {
    const { page } = still;
    const block = blocksOf(report).find(
      (one) => one.placement === "two-cpus" && one.mode === "event" && one.payloadBytes === 64,
    );
    expect(await rankedNames(page)).toEqual(block?.ranked.map((row) => row.name));
    expect(await page.locator("#ranking-table td.ratio").allInnerTexts()).toEqual([
      ...(block?.ranked.map((row) => ratio(row.ratio)) ?? []),
      "–",
    ]);
    expect(await page.locator("#ranking-table .baselines").innerText()).toContain("loopback");
    expect(await page.locator("#ranking-table td.standing").allInnerTexts()).toContain("tie");
    expect(await page.locator("#ranking-notes").innerText()).toContain("tie: not distinguishable from the best");
  });

  test("folds rows that cannot have a figure, with their number and their reasons", async () => {
    const { page } = await open(report, "#placement=same-cpu&mode=polling");
    expect(await rankedNames(page)).toEqual([]);
    expect(await page.locator("#missing > summary").innerText()).toBe("Without a figure here: 1 not applicable");
    expect(await page.locator("#missing li").textContent()).toMatch(/^shm\/spin: not applicable: ./);
  });

  test("adds every row in detail after the figures, each once, also if a choice comes in between", async () => {
    const { page } = await open(report);
    await page.evaluate(`(() => {
      document.querySelector("#subset input").click();
      document.querySelector("#subset input").click();
    })()`);
    await drawn(page);
    const measured = report.measurements.filter(({ status }) => status === "measured");
    expect(await page.locator("#details-rows tr").count()).toBe(measured.length);
    expect(await page.locator("#details-rows tr").first().textContent()).toMatch(/^unix.*event loopround-trip64 B/);
    await page.locator("#details > details > summary").first().click();
    expect(await page.locator("#details-rows td.prose").first().isVisible()).toBe(true);
  });

  test("names what is not drawn with its values, and on a screen the table that has it", async () => {
    const caption = still.page.locator("#sizes-caption");
    expect(await caption.innerText()).toMatch(
      /^Not drawn, since it would flatten the rest: loopback \(baseline, \d.* [nµ]s\)\. It is in "The same numbers as/,
    );
    await still.page.emulateMedia({ media: "print" });
    expect(await caption.innerText()).toMatch(/loopback \(baseline, [^)]*\)\.\s*$/);
    await still.page.emulateMedia({ media: null });
  });

  test("has a label and a table of the same numbers for every canvas", async () => {
    const { page } = still;
    for (const id of FIGURES) {
      const canvas = page.locator(`#${id}-chart`);
      expect(await canvas.getAttribute("role")).toBe("img");
      expect(await canvas.getAttribute("aria-label")).toContain("unix");
      expect(await page.locator(`#${id}-table tbody tr`).count()).toBeGreaterThanOrEqual(4);
    }
  });

  test("reports that the best changes with size only where no row may be the best at every size", async () => {
    const finding = (page: Page): Promise<string> => page.locator("#sizes-finding").innerText();
    /** Makes `unix` lead at 64 B and `fifo` above; trials swing by `margin`, a share, up and down in turn. */
    const crossing = (margin: number): Report => ({
      ...report,
      measurements: report.measurements.flatMap((cell) => {
        const rank = ["unix", "fifo"].indexOf(cell.transport);
        if (rank < 0 || cell.status !== "measured" || !cell.latencyNs || cell.benchmark !== "round-trip") return [];
        const p50 = (rank === 0) === (cell.payloadBytes === 64) ? 10_000 : 20_000;
        const trials = cell.trials.map((trial) => {
          const swing = (trial.round + rank) % 2 === 0 ? 1 - margin : 1 + margin;
          return { ...trial, latencyNs: { ...(cell.latencyNs as Quantiles), p50: p50 * swing } };
        });
        return [{ ...cell, trials, latencyNs: { ...cell.latencyNs, p50 } }];
      }),
    });
    expect(await finding((await open(crossing(0.01))).page)).toMatch(
      /^The best changes with size\. Lowest at 64 B: unix;/,
    );
    const turns = (await open(crossing(0.01))).page;
    expect(await turns.locator("#sizes-turns li").allInnerTexts()).toEqual(["unix is ahead at 64 B, fifo at 4 KiB."]);
    expect(await turns.locator("#sizes-open").isVisible()).toBe(false);
    expect(await finding((await open(crossing(0.5))).page)).toMatch(
      /^This run cannot tell whether the best changes with size\. Lowest at 64 B: unix \(tie with fifo\);/,
    );
  });

  test("draws latency against the chosen cost, keeps the choice in the address, and lists what has none", async () => {
    const measurements = report.measurements.map((cell) =>
      cell.status === "measured" && cell.transport === "fifo" ? { ...cell, peakMemoryBytes: null } : cell,
    );
    const { page, trouble } = await open({ ...report, measurements }, "#placement=same-cpu&payload=65536");
    const [finding, missing] = ["#axes-finding", "#axes-missing"].map((id) => page.locator(id));
    expect(await inkOf(page, "axes")).toBeGreaterThan(500);
    expect(await finding?.innerText()).toMatch(/^On the front of p50 round trip and CPU time: /);
    expect(await missing?.innerText()).toMatch(/^Not drawn: tcp: failed: 2 messages lost in round 3 .*\.$/);
    await page.selectOption("#axes-cost", "memory");
    expect(await page.evaluate("location.hash")).toMatch(/&cost=memory$/);
    expect(await missing?.innerText()).toMatch(
      /^Not drawn: tcp: failed.*\nNot drawn: fifo: .* no figure of its memory /,
    );
    // The trials have no memory, so there is no ratio within a round.
    expect(await finding?.innerText()).toMatch(
      /: unix\. This run cannot tell whether these are on the front: stdio\.$/,
    );
    expect(trouble).toEqual([]);
  });

  test("shows a warning once and names the rows it is about", async () => {
    const text = "bimodal: the trials fall into two groups";
    const measurements = report.measurements.map((cell) => ({
      ...cell,
      warnings: ["unix", "fifo"].includes(cell.transport) ? [{ id: "bimodal" as const, text, where: {} }] : [],
    }));
    const { page } = await open({ ...report, measurements });
    const merged = new RegExp(`${text} \\((unix, fifo|fifo, unix)\\)`, "g");
    for (const id of ["ranking-notes", "trials-finding"]) {
      const shown = await page.locator(`#${id}`).innerText();
      expect([id, shown.match(merged)?.length, shown.split(text).length - 1]).toEqual([id, 1, 1]);
    }
  });

  test("fits its main table at 1280 px, and lets the keyboard scroll every table that does not fit", async () => {
    const { page } = await open(fullReport());
    await page.setViewportSize({ width: 1280, height: 900 });
    const room =
      "(() => { const box = document.getElementById('ranking-table'); return box.clientWidth - box.scrollWidth; })()";
    expect(await page.evaluate(room)).toBe(0);
    const boxes = await page
      .locator(".scroll")
      .evaluateAll((all) =>
        all.map((box) => [
          box.getAttribute("tabindex"),
          box.getAttribute("role"),
          Boolean(box.getAttribute("aria-label") ?? box.getAttribute("aria-labelledby")),
        ]),
      );
    expect(new Set(boxes.map(String))).toEqual(new Set(["0,region,true"]));
    expect(await page.locator("caption").count()).toBe(0);
  });

  test("shows hostile ids and error texts as text", async () => {
    const hostile = `</script><b id="hostile">x</b><img src=x onerror="document.title='hit'">`;
    const rename = <T extends { transport: string }>(item: T): T =>
      item.transport === "tcp" ? { ...item, transport: hostile } : item;
    const evil: Report = {
      ...report,
      commandLine: hostile,
      warnings: [{ id: "module-refused", text: hostile, where: {} }],
      transports: report.transports.map((record) => (record.id === "tcp" ? { ...record, id: hostile } : record)),
      measurements: report.measurements
        .map(rename)
        .map((cell) => (cell.status === "measured" ? cell : { ...cell, reason: hostile })),
      checks: report.checks
        .map(rename)
        .map((check) => ({ ...check, status: "failed" as const, reason: hostile, error: hostile })),
    };
    const { page, trouble } = await open(evil);
    expect(await rankedNames(page)).toContain(hostile);
    expect(await page.locator("#hostile, img").count()).toBe(0);
    expect(await page.title()).not.toBe("hit");
    expect(trouble).toEqual([]);
  });

  test("runs no script but its own, even if one got into the markup", async () => {
    const { page } = still;
    const ran = await page.evaluate(`(() => {
      const added = document.createElement("script");
      added.textContent = "globalThis.intruder = true";
      document.body.append(added);
      return globalThis.intruder === true;
    })()`);
    expect(ran).toBe(false);
  });

  test("explains why a row that was measured has no p99, and nothing where each has one", async () => {
    const full = fullReport();
    const { page } = await open(full);
    expect(await page.locator("#ranking-notes").innerText()).not.toContain("too few messages");
    const measurements = full.measurements.map((cell) => {
      if (cell.status !== "measured" || cell.latencyNs === undefined) return cell;
      const { p99: _p99, ...latencyNs } = cell.latencyNs;
      return { ...cell, latencyNs };
    });
    const short = await open({ ...full, measurements });
    const needed = "p99 –: a p99 needs 2000 messages over all trials";
    expect(await short.page.locator("#ranking-notes").innerText()).toContain(needed);
    expect(await short.page.locator("#ranking-table tr[data-name=unix] td[title]").innerText()).toBe("–");
    expect(await short.page.locator("#ranking-table tr[data-name=unix] td[title]").getAttribute("title")).toContain(
      needed,
    );
  });

  test("names the machine's tail floor, plain C, loss and idle cost where they belong", async () => {
    const { page, trouble } = await open(fullReport());
    expect(await page.locator("#ranking-notes").innerText()).toContain(
      "Beside p99, the machine's own tail floor: p99 84.0 µs",
    );
    expect(await page.locator("#ranking-table tr[data-name=unix]").innerText()).toContain("3.17×");
    expect(await page.locator("#ranking-notes").innerText()).toContain("× C: p50 as a multiple of plain C");
    await page.selectOption("select[name=benchmark]", "load, 1000/s poisson");
    expect(await page.locator("#ranking-notes").innerText()).toContain("unix lost 1.23 % of what was sent");
    await page.selectOption("select[name=benchmark]", "idle");
    expect(await page.locator("#ranking-table tr[data-name=unix]").innerText()).toContain(
      "2.14 % of one CPU while idle",
    );
    expect(await page.locator("#canaries").isVisible()).toBe(true);
    expect(trouble).toEqual([]);
  });

  test("breaks no flag where a line wraps", async () => {
    const reason = "a difference matters above 10 % of a request with 1.00 ms of work (--matters, --no-c-baseline)";
    const { page } = await open({ ...report, pick: { ...report.pick, reasons: [reason] } as Report["pick"] });
    const wrapped: number[] = [];
    for (let width = 300; width < 760; width += 41) {
      await page.setViewportSize({ width, height: 600 });
      const lines = (await page.evaluate(`(() => {
        const linesOf = (node) => {
          const range = document.createRange();
          range.selectNodeContents(node);
          return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size;
        };
        const item = document.querySelector("#verdict .about li");
        const texts = document.createTreeWalker(item, NodeFilter.SHOW_TEXT);
        const flags = [];
        while (texts.nextNode()) {
          for (const { index, 0: flag } of texts.currentNode.data.matchAll(/--[a-z-]+/g)) {
            const range = document.createRange();
            range.setStart(texts.currentNode, index);
            range.setEnd(texts.currentNode, index + flag.length);
            flags.push(new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size);
          }
        }
        return { item: linesOf(item), flags };
      })()`)) as { item: number; flags: number[] };
      expect(lines.flags, `${width}`).toEqual([1, 1]);
      wrapped.push(lines.item);
    }
    expect(Math.max(...wrapped)).toBeGreaterThan(1);
  });

  test("shows growth by depth where it was varied, and only there", async () => {
    const cell = report.measurements.find(
      (one) => one.transport === "unix" && one.placement === "two-cpus" && one.payloadBytes === 64,
    );
    if (!cell) throw new Error("the fixture has lost its unix cell");
    const depths = [1, 4, 16].map((inFlight) => ({ ...cell, benchmark: "pipeline", inFlight }));
    const { page, trouble } = await open({ ...report, measurements: [...report.measurements, ...depths] });
    expect(await page.locator("#growth").isVisible()).toBe(false);
    await page.selectOption("select[name=benchmark]", "pipeline, 4 in flight");
    await drawn(page);
    expect(await page.locator("#growth").isVisible()).toBe(true);
    expect(await inkOf(page, "growth")).toBeGreaterThan(500);
    expect(trouble).toEqual([]);
  });

  test.each([
    [
      "one placement and too few trials for intervals",
      fixtureReport({ placements: ["same-cpu"], trials: 3, payloads: [64] }),
    ],
    ["no measurement at all", { ...report, measurements: [], cBaseline: [], pick: null }],
    [
      "polling without a single value",
      {
        ...report,
        measurements: report.measurements.filter(
          (cell) => cell.transport === "shm/spin" && cell.placement === "same-cpu",
        ),
      },
    ],
  ])("opens without an error for %s", async (_, of) => {
    const { page, trouble } = await open(of);
    expect(await page.locator("#machine").isVisible()).toBe(true);
    expect(trouble).toEqual([]);
  });
});
