import { xmlText } from "../../reports/xml.ts";
import { nameOf } from "./cells.ts";
import { evidenceWords, type GateResult, type GateRow } from "./result.ts";

/** JUnit XML, as CI servers read it: one test case per declared cell. A cell that did not run is an error, not a skipped test. */
export function junitOf({ rows, durationMs, base }: GateResult): string {
  const failures = rows.filter(({ outcome }) => outcome === "regression" || outcome === "undecided").length;
  const errors = rows.filter(({ outcome }) => outcome === "missing").length;
  const head = `<testsuite name="ipcmark gate" tests="${rows.length}" failures="${failures}" errors="${errors}" skipped="0" time="${(durationMs / 1000).toFixed(3)}">`;
  const property = `<properties><property name="base" value="${escapeXml(base)}"/></properties>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${head}\n${property}\n${rows.map(caseOf).join("\n")}\n</testsuite>\n`;
}

function caseOf(row: GateRow): string {
  const name = escapeXml(nameOf(row.cell));
  const open = `<testcase classname="gate" name="${name}">`;
  const evidence = row.confirm ?? row.screen;
  const words = escapeXml(evidence === undefined ? (row.reason ?? "") : `head/base ${evidenceWords(evidence)}`);
  switch (row.outcome) {
    case "not-slower":
      return `${open}<system-out>${words}</system-out></testcase>`;
    case "regression":
      return `${open}<failure type="regression" message="slower than the base: ${words}"/></testcase>`;
    case "undecided":
      return `${open}<failure type="undecided" message="cannot decide: ${words}"/></testcase>`;
    case "missing":
      return `${open}<error type="missing" message="did not run: ${words}"/></testcase>`;
  }
}

/** Also for attributes, whose line ends a reader would lose. */
function escapeXml(text: string): string {
  return xmlText(text).replace(/"/g, "&quot;").replace(/\n/g, "&#10;");
}
