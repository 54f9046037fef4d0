/** Part of `npm run build`: copies what the package reads at run time, and writes the report's schema. */
import { cpSync, globSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publishedSchema } from "./report-schema.ts";

const FOLDERS = ["reports/html/client", "harness/peer/python", "harness/c-baseline", "transports/*/python"];
/** Files that are not copied. A module of the page is a file beside the page's script, so it is copied. */
const LEFT_OUT = /__pycache__|\.test\.|\.md$|tsconfig\.json$|(?<!\/client\/[\w-]+)\.ts$/;

/** Returns paths below `root` of all files that a build copies. */
export function assetsIn(root: string): string[] {
  return globSync(
    FOLDERS.map((folder) => `${folder}/**/*`),
    { cwd: root },
  )
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => !LEFT_OUT.test(path) && statSync(join(root, path)).isFile());
}

if (import.meta.main) {
  const root = join(import.meta.dirname, "..");
  for (const path of assetsIn(root)) cpSync(join(root, path), join(root, "dist", path));
  writeFileSync(join(root, "dist/report.schema.json"), `${JSON.stringify(publishedSchema(), null, 2)}\n`);
}
