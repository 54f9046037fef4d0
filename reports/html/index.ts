import type { Report } from "../../harness/results/model.ts";
export async function renderHtml(_report: Report): Promise<string> {
  return "";
}
