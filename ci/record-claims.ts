/**
 * Maintenance: keeps a run of `npm run compare -- --claims` as the sample of the repository, as small as the verdicts
 * allow, and with the machine as documents may name it. Then `npm run record:claims [-- <report.json>]`.
 */
import { fileURLToPath } from "node:url";
import { loadReport } from "../harness/results/load-report.ts";
import { kernelVersion, virtualOrNot } from "../harness/results/machine-sentence.ts";
import type { Report } from "../harness/results/model.ts";
import { store } from "../harness/results/store.ts";
import { renderMarkdown } from "../reports/markdown.ts";

/** Parts without which every verdict is the same. */
const LEFT_OUT = [
  ...["histogram", "curves", "latenessNs", "halvesNs", "evidence"],
  ...["fingerprint", "memoryBytes", "allowedCpus", "frequencyMHz", "cgroup"],
];

/** Returns the report without distributions, names of paths, and the vendor's part of the version of the kernel. */
function forDocuments(report: Report): Report {
  const light = JSON.parse(JSON.stringify(report, (key, value) => (LEFT_OUT.includes(key) ? undefined : value)));
  const kernel = kernelVersion(report.environment.kernel);
  const virtualization = virtualOrNot(report.environment.virtualization);
  const environment = { ...light.environment, kernel, virtualization };
  return { ...light, commandLine: "ipcmark compare --claims", environment };
}

const folder = fileURLToPath(new URL("../reports/sample", import.meta.url));
const sample = forDocuments(loadReport(process.argv[2] ?? "ipcmark-out/report.json"));
store(folder, "claims.json", `${JSON.stringify(sample)}\n`);
store(folder, "claims.md", renderMarkdown(sample));
