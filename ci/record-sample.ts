/**
 * Maintenance: keeps a plain `npm run compare` as the sample of the repository: its report, a screenshot of its page,
 * and its answer in the README. Then `npm run record:sample [-- <report.json>]`; the screenshot needs Chromium.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadReport } from "../harness/results/load-report.ts";
import { store } from "../harness/results/store.ts";
import { withoutTrialHistograms } from "../reports/html/embed.ts";
import { renderHtml } from "../reports/html/render.ts";
import { startChromium } from "../reports/testing/browser.ts";
import { withResults } from "./check-results.ts";
import { answerText, forDocuments } from "./for-documents.ts";

const root = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const folder = root("reports/sample");
const report = loadReport(process.argv[2] ?? "ipcmark-out/report.json");
const sample = withoutTrialHistograms(forDocuments(report, "ipcmark compare", []));
store(folder, "compare.json", `${JSON.stringify(sample)}\n`);
store(root("."), "README.md", withResults(readFileSync(root("README.md"), "utf8"), answerText(sample), "sample"));

/** Filter that leaves 32 levels of each colour: the eye sees no difference, and the file is a quarter smaller. */
const LEVELS = Array.from({ length: 32 }, (_, at) => at / 31).join(" ");
const FILTER = `<svg width="0" height="0" style="position: absolute">
<filter id="fewer" color-interpolation-filters="sRGB">
<feComponentTransfer>${["R", "G", "B"].map((one) => `<feFunc${one} type="discrete" tableValues="${LEVELS}"/>`).join("")}
</feComponentTransfer></filter></svg>`;

const browser = await startChromium();
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: "light", bypassCSP: true });
  await page.setContent(await renderHtml(sample));
  await page.evaluate(`document.body.insertAdjacentHTML("beforeend", ${JSON.stringify(FILTER)})`);
  await page.evaluate(`document.documentElement.style.filter = "url(#fewer)"`);
  await page.screenshot({ path: `${folder}/compare.png` });
} finally {
  await browser.close();
}
