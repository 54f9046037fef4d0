/** Part of `npm run build`: what the package has besides compiled files. */
import { cpSync, globSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { publishedSchema } from "./report-schema.ts";

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

writeFileSync(new URL("dist/report.schema.json", ROOT), `${JSON.stringify(publishedSchema(), null, 2)}\n`);
