/**
 * Measures the page of a report larger than any run, in Chromium: size, time to the first paint, and the longest task
 * of opening it and of each choice. Prints a table; nothing is asserted, since the times are those of this machine.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { pick } from "../../harness/pick/pick.ts";
import { givesSamePick } from "../../harness/pick/same-pick.ts";
import { loadReport } from "../../harness/results/load-report.ts";
import { renderHtml } from "../html/render.ts";
import { CHROMIUM, startChromium } from "./browser.ts";
import { largeReport } from "./large.ts";

/** Installed before the page: tasks longer than 50 ms, which is all that the browser reports. */
const WATCH = `globalThis.tasks = [];
new PerformanceObserver((list) => globalThis.tasks.push(...list.getEntries().map(({ duration }) => duration)))
  .observe({ type: "longtask", buffered: true });`;
/** Time in which a page has drawn everything, ms. */
const SETTLED_MS = 3000;

if (CHROMIUM === undefined) {
  process.stderr.write("no Chromium was found; apt-get install chromium, or set IPCMARK_CHROMIUM to its path\n");
  process.exit(23);
}
const [file] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), "ipcmark-page-"));
const browser = await startChromium();
try {
  const html = await renderHtml(file === undefined ? withPick() : loadReport(file));
  const path = join(folder, "page.html");
  await writeFile(path, html);
  const data = [...html.matchAll(/<script type="application\/json"[^>]*>([\s\S]*?)<\/script>/g)];
  const dataBytes = data.reduce((sum, [, text = ""]) => sum + Buffer.byteLength(text), 0);
  print("page without data", `${Math.round((Buffer.byteLength(html) - dataBytes) / 1000)} kB`);
  print("data", `${Math.round(dataBytes / 1000)} kB`);
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.addInitScript(WATCH);
  await page.goto(pathToFileURL(path).href);
  const paint = await page.evaluate(
    `performance.getEntriesByType("paint").find(({ name }) => name === "first-contentful-paint")?.startTime`,
  );
  print("first paint", `${Math.round(Number(paint))} ms`);
  await report(page, "open");
  for (const [name, act] of choicesOf(page)) {
    await act();
    await report(page, name);
  }
} finally {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
}

/** Returns the large report with the pick that the rule gives it. */
function withPick() {
  const large = largeReport();
  const question = {
    payloads: [64, 4096],
    modes: ["event"],
    placement: "two-cpus",
    benchmark: "round-trip",
    peer: "node",
  } as const;
  const found = { ...large, pick: pick(large, question) };
  if (!givesSamePick(found)) throw new Error("the rule does not give the pick again");
  return found;
}

/** Returns what a reader does, by name. */
function choicesOf(page: Page): [string, () => Promise<unknown>][] {
  const choose = (name: string) => async (): Promise<void> => {
    const select = page.locator(`select[name=${name}]`);
    if (await select.isEnabled()) await select.selectOption({ index: 1 });
  };
  return [
    ...["placement", "payload", "benchmark"].map((name): [string, () => Promise<unknown>] => [name, choose(name)]),
    ["hide one", () => page.locator("#subset input").first().uncheck()],
    ["hide another", () => page.locator("#subset input").nth(3).uncheck()],
    ["back", () => page.goBack()],
    ["to the end", () => page.evaluate("scrollTo(0, document.body.scrollHeight)")],
  ];
}

async function report(page: Page, name: string): Promise<void> {
  await page.waitForTimeout(SETTLED_MS);
  const tasks = (await page.evaluate("globalThis.tasks.splice(0)")) as number[];
  const list = tasks.length === 0 ? "none above 50 ms" : tasks.map((ms) => `${Math.round(ms)} ms`).join(", ");
  print(`long tasks: ${name}`, list);
}

function print(name: string, value: string): void {
  process.stdout.write(`${name.padEnd(26)} ${value}\n`);
}
