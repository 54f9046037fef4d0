/** Maintenance: writes the results of a stored `check` into scenarios/README.md. `npm run record:checks -- <report.json>` */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { withCheckResults } from "../../reports/check-results.ts";
import { loadReport } from "../results/store.ts";

const document = fileURLToPath(new URL("../../scenarios/README.md", import.meta.url));
const report = loadReport(process.argv[2] ?? "ipcmark-out/report.json");
writeFileSync(document, withCheckResults(readFileSync(document, "utf8"), report));
