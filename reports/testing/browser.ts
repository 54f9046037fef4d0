import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

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
