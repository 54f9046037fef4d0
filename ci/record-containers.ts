/**
 * Maintenance: keeps the results of `container/sharing` in `scenarios/containers.json` and writes the document.
 * `npm run check -- --transport all --scenario container/sharing`, then `npm run record:containers [-- <report.json>]`.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadReport } from "../harness/results/load-report.ts";
import { store } from "../harness/results/store.ts";
import { containerTable, recordContainers, withResults } from "./check-results.ts";

const DOCUMENT = "scenarios/README.md";
const root = fileURLToPath(new URL("..", import.meta.url));
const recorded = recordContainers(loadReport(process.argv[2] ?? "ipcmark-out/report.json"));
if (recorded.rows.length === 0) {
  process.stderr.write(
    "this report has no passed container/sharing: run that check as root, or with user namespaces\n",
  );
  process.exit(2);
}
store(root, "scenarios/containers.json", `${JSON.stringify(recorded, null, 1)}\n`);
store(root, DOCUMENT, withResults(readFileSync(`${root}/${DOCUMENT}`, "utf8"), containerTable(recorded), "containers"));
