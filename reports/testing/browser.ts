import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const CANDIDATES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const { IPCMARK_CHROMIUM } = process.env;

/** Path of a Chromium of this machine; undefined where there is none. */
export const CHROMIUM: string | undefined = IPCMARK_CHROMIUM ?? CANDIDATES.find((path) => existsSync(path));

/** Words for the name of a test that needs Chromium. */
export const IN_CHROMIUM: string = CHROMIUM
  ? "in Chromium"
  : "in Chromium (skipped: none installed; try `apt-get install chromium`)";

/** Starts Chromium without a window. */
export function startChromium(): Promise<Browser> {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"];
  return chromium.launch({ executablePath: CHROMIUM ?? "", args, timeout: 30_000 });
}

export interface OpenedPage {
  readonly page: Page;
  /** Console errors, exceptions, and all requests but that for the page itself. */
  readonly trouble: string[];
}

/** Pages of one file of tests, in one context: a page keeps nothing, and each context costs a process. */
export class Pages {
  readonly #browser: Browser;
  readonly #context: BrowserContext;
  readonly #folder: string;
  #opened = 0;

  private constructor(browser: Browser, context: BrowserContext, folder: string) {
    this.#browser = browser;
    this.#context = context;
    this.#folder = folder;
  }

  static async start(): Promise<Pages> {
    const browser = await startChromium();
    const context = await browser.newContext({ offline: true, viewport: { width: 1200, height: 900 } });
    return new Pages(browser, context, await mkdtemp(join(tmpdir(), "ipcmark-page-")));
  }

  /** Opens a page from a file, which it writes. */
  async open(html: string, hash = ""): Promise<OpenedPage> {
    this.#opened += 1;
    const file = join(this.#folder, `report-${this.#opened}.html`);
    await writeFile(file, html);
    const url = pathToFileURL(file).href;
    const page = await this.#context.newPage();
    const trouble: string[] = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) trouble.push(message.text());
    });
    page.on("pageerror", (error) => trouble.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(url)) trouble.push(request.url());
    });
    await page.goto(url + hash);
    await drawn(page);
    return { page, trouble };
  }

  async closeAllBut(kept?: Page): Promise<void> {
    for (const page of this.#context.pages()) if (page !== kept) await page.close();
  }

  async end(): Promise<void> {
    await this.#browser.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Returns the names in the ranking as it is shown, baselines left out. */
export function rankedNames(page: Page): Promise<string[]> {
  return page
    .locator("#ranking-table tbody:not(.baselines) tr")
    .evaluateAll((rows) => rows.map((row) => row.getAttribute("data-name") ?? ""));
}

/** Waits until the page has drawn all that it draws in pieces. */
export async function drawn(page: Page): Promise<void> {
  await page.waitForSelector("html:not([data-drawing])", { state: "attached" });
}

/** Returns the pixels of a canvas that are not transparent: a chart that failed to draw has none. */
export async function inkOf(page: Page, id: string): Promise<number> {
  await drawn(page);
  return page.evaluate(`(() => {
    const canvas = document.getElementById("${id}-chart");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let inked = 0;
    for (let at = 3; at < data.length; at += 4) if (data[at] > 0) inked += 1;
    return inked;
  })()`);
}
