/** Part of `npm run build`: what the compiled package reads at run time and the compiler does not copy. */
import { cpSync, globSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = new URL("..", import.meta.url);
const ASSETS = [
  "reports/html/client",
  "harness/peer/python",
  "harness/c-baseline",
  "transports/python-connection/example",
  ...globSync("transports/*/python", { cwd: ROOT }),
];

for (const folder of ASSETS) {
  cpSync(fileURLToPath(new URL(folder, ROOT)), fileURLToPath(new URL(`dist/${folder}`, ROOT)), {
    recursive: true,
    filter: (path) => !/__pycache__|\.test\.|(?<!\/client\/[\w-]+)\.ts$/.test(path),
  });
}
