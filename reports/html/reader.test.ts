import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { storedGate } from "../../ci/gate/page.ts";
import { storedGateFixture } from "../../ci/gate/testing/stored-gate.ts";
import { pickAmong } from "../../harness/pick/among.ts";
import { loadReport } from "../../harness/results/load-report.ts";
import type { Report } from "../../harness/results/model.ts";
import { decidedReport } from "../../harness/testing/decided-report.ts";
import { renderCsv } from "../csv.ts";
import { CHROMIUM, drawn, IN_CHROMIUM, type OpenedPage, Pages, rankedNames } from "../testing/browser.ts";
import { fixtureReport } from "../testing/fixture.ts";
import { fullReport } from "../testing/fixture-machine.ts";
import { renderGate } from "./gate.ts";
import { renderMachines } from "./machines.ts";
import { renderHtml } from "./render.ts";

const CLAIMS = loadReport(join(import.meta.dirname, "../sample/claims.json"));
/** The claims with a part of the run: axe-core looks at every cell of every table. */
const FEW_ROWS = {
  measurements: CLAIMS.measurements.slice(0, 6),
  transports: CLAIMS.transports.slice(0, 3),
  checks: [],
  curves: [],
  candidates: [],
};
const SMALL = fixtureReport({ trials: 1, payloads: [64], placements: ["two-cpus"] });
const PAGES: readonly (readonly [name: string, render: () => Promise<string>])[] = [
  ["a comparison", () => renderHtml(fullReport({ trials: 6, payloads: [64], placements: ["two-cpus"] }))],
  ["a gate", () => renderGate(storedGate(storedGateFixture()).page)],
  ["several machines", () => renderMachines(["one", "two"].map((name) => ({ name, report: SMALL })))],
  ["claims", () => renderHtml({ ...CLAIMS, ...FEW_ROWS })],
];
/** Rules that depend on the width. */
const OF_WIDTH = ["scrollable-region-focusable", "link-in-text-block"];

/** Part of what axe-core returns. */
interface Examined {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly target: readonly string[] }[];
  }[];
}

/** Returns each rule that a page breaks, with the elements that break it. */
async function violations(page: Page, rules?: readonly string[]): Promise<string[]> {
  const options = rules === undefined ? {} : { runOnly: { type: "rule", values: rules } };
  const found = (await page.evaluate(`axe.run(document, ${JSON.stringify(options)})`)) as Examined;
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
}

describe.skipIf(!CHROMIUM)(`the reader of the page, ${IN_CHROMIUM},`, () => {
  const report = fixtureReport({ trials: 6 });
  let pages: Pages;

  beforeAll(async () => {
    pages = await Pages.start();
  });
  afterEach(() => pages.closeAllBut());
  afterAll(() => pages?.end());

  const open = async (of: Report, hash = ""): Promise<OpenedPage> => pages.open(await renderHtml(of), hash);

  test("has every choice in the address, which opens as it was", async () => {
    const { page } = await open(report);
    await page.selectOption("select[name=placement]", "same-cpu");
    await page.selectOption("select[name=payload]", "65536");
    await page.uncheck("#subset input[value=unix]");
    const hash = await page.evaluate("location.hash");
    expect(hash).toBe("#placement=same-cpu&mode=event&benchmark=round-trip&payload=65536&hide=unix");
    const shown = await rankedNames(page);
    expect(shown).toEqual(["stdio", "fifo", "tcp"]);
    expect(await page.locator("#ranking-table td.ratio").first().innerText()).toBe("1.00×");
    expect(await page.locator("tr[data-name=tcp]").innerText()).toContain("failed: 2 messages lost in round 3");
    const again = await open(report, String(hash));
    expect(await rankedNames(again.page)).toEqual(shown);
    expect(again.trouble).toEqual([]);
    await page.goBack();
    expect(await page.evaluate("location.hash")).toBe(
      "#placement=same-cpu&mode=event&benchmark=round-trip&payload=65536",
    );
    expect(await page.isChecked("#subset input[value=unix]")).toBe(true);
    expect(await rankedNames(page)).toContain("unix");
    const strange = await open(report, "#placement=moon&mode=event&benchmark=x&payload=-1&hide=unix,nobody&more=1");
    expect(await rankedNames(strange.page)).not.toContain("unix");
    expect(await strange.page.inputValue("select[name=placement]")).toBe("two-cpus");
    expect(strange.trouble).toEqual([]);
  });

  test("gets the answer to the question of the run among the rows that are left, by the rule of the pick", async () => {
    const decided = decidedReport(["fast", "middle", "slow"].map((id, at) => ({ id, ns: 10_000 * 2 ** at })));
    const { page, trouble } = await open(decided);
    expect(await page.locator("#choice").isVisible()).toBe(false);
    await page.uncheck("#subset input[value=fast]");
    await drawn(page);
    const left = pickAmong(decided, ({ transport }) => transport !== "fast");
    expect(await page.locator("#choice .finding").innerText()).toBe(left?.sentence);
    expect(left?.sentence).toMatch(/^Use middle /);
    await page.uncheck("#subset input[value=middle]");
    await page.uncheck("#subset input[value=slow]");
    await drawn(page);
    expect(await page.locator("#choice").innerText()).toContain("None of these rows can be picked");
    await page.press('a[href="#main"]', "Enter");
    expect(await page.locator("#choice").isVisible()).toBe(true);
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    // The pick of the synthetic report is written by hand, so the rule does not give it.
    const other = await open(report, "#hide=tcp");
    expect(await other.page.locator("#choice").innerText()).toMatch(/^The answer at the top is for all rows/);
    expect(trouble).toEqual([]);
  });

  test("takes along the report, its cells and its command", async () => {
    const { page } = await open(report);
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
    expect(download.suggestedFilename()).toBe("report.json");
    expect(JSON.parse(await readFile(await download.path(), "utf8"))).toEqual(JSON.parse(JSON.stringify(report)));
    const [cells] = await Promise.all([page.waitForEvent("download"), page.click("#download-csv")]);
    expect([cells.suggestedFilename(), await readFile(await cells.path(), "utf8")]).toEqual([
      "report.csv",
      renderCsv(report),
    ]);
    expect(await page.locator("#command").innerText()).toBe("npx ipcmark compare --seed 7");
    await page.click("#copy");
    expect(await page.locator("#copied").innerText()).toBe("Copied.");
    expect(await page.evaluate("getSelection().toString()")).toBe("npx ipcmark compare --seed 7");
  });

  async function examined(html: string): Promise<Page> {
    const { page } = await pages.open(html);
    await page.evaluate("for (const box of document.querySelectorAll('details')) box.open = true");
    await page.evaluate(await readFile(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8"));
    return page;
  }

  test.each(PAGES)("meets no barrier that axe-core finds in the page of %s: light, dark, 390 px", async (_, render) => {
    const page = await examined(await render());
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await violations(page, ["color-contrast"])).toEqual([]);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme: "light" });
    expect(await violations(page, OF_WIDTH)).toEqual([]);
    // The rules see what is wrong on purpose.
    await page.evaluate("document.querySelector('main').append(document.createElement('img'))");
    expect(await violations(page, ["image-alt"])).toEqual(["image-alt: img"]);
  });
});
