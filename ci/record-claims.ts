/**
 * Maintenance: keeps a run of `npm run compare -- --claims` as the sample of the repository, as small as the verdicts
 * allow, and with the machine as documents may name it. Then `npm run record:claims [-- <report.json>]`.
 */
import { fileURLToPath } from "node:url";
import { loadReport } from "../harness/results/load-report.ts";
import { store } from "../harness/results/store.ts";
import { renderMarkdown } from "../reports/markdown.ts";
import { forDocuments } from "./for-documents.ts";

/** Parts without which every verdict is the same. */
const LEFT_OUT = ["histogram", "curves", "latenessNs", "halvesNs", "evidence"];

const folder = fileURLToPath(new URL("../reports/sample", import.meta.url));
const report = loadReport(process.argv[2] ?? "ipcmark-out/report.json");
const sample = forDocuments(report, "ipcmark compare --claims", LEFT_OUT);
store(folder, "claims.json", `${JSON.stringify(sample)}\n`);
store(folder, "claims.md", renderMarkdown(sample));
