import { resolve } from "node:path";
import { Option } from "commander";
import { UsageError } from "../results/exit-codes.ts";
import type { Report } from "../results/model.ts";
import { ensureWritable, store } from "../results/store.ts";
import { unknownName } from "./suggest.ts";
import { each } from "./values.ts";

/** Forms in which a stored report can be written again, with the ends of their files. */
const ENDINGS = { html: "html", markdown: "md", csv: "csv", json: "json" } as const;
export type Format = keyof typeof ENDINGS;
const FORMATS = Object.keys(ENDINGS) as readonly Format[];

/** Text of a report or a gate in one form. */
export type Renderers = Readonly<Partial<Record<Format, () => string | Promise<string>>>>;

/** Returns the option `--format`. */
export function formatOption(): Option {
  const flags = "--format <name...>";
  const what = `forms to write: ${FORMATS.join(", ")} (default: html); markdown is below 60 kB, for a pull request`;
  return new Option(flags, what).argParser(each(parseFormat));
}

/** @throws UsageError for an unknown form */
export function parseFormat(text: string): Format {
  const found = FORMATS.find((name) => name === text);
  if (found === undefined) throw new UsageError(unknownName("--format", text, FORMATS));
  return found;
}

/** Returns all forms of a report. Each renderer is loaded only where it is asked for. */
export function renderersOf(report: Report): Renderers {
  return {
    html: async () => (await import("../../reports/html/render.ts")).renderHtml(report),
    markdown: async () => (await import("../../reports/markdown.ts")).renderMarkdown(report),
    csv: async () => (await import("../../reports/csv.ts")).renderCsv(report),
    json: () => `${JSON.stringify(report)}\n`,
  };
}

/**
 * Writes the forms that were asked for into a folder, each under the same name with its own ending.
 *
 * @param name name of the files without their ending: `report`
 * @param from paths of the files that were read: no form may take the place of one
 * @returns paths of the files
 * @throws UsageError for a form that this file does not have, or a place that cannot be written
 */
export async function storeForms(
  renderers: Renderers,
  formats: readonly Format[],
  { out, name, from }: { readonly out: string; readonly name: string; readonly from: readonly string[] },
): Promise<string[]> {
  const forms = [...new Set(formats)].map((format) => {
    const render = renderers[format];
    const file = `${name}.${ENDINGS[format]}`;
    if (render === undefined) {
      const others = Object.keys(renderers).join(", ");
      throw new UsageError(
        `--format ${format}: "${from[0]}" is a ${name}.json, which has no such form; valid: ${others}`,
      );
    }
    const replaced = from.find((path) => resolve(path) === resolve(out, file));
    if (replaced !== undefined)
      throw new UsageError(`--format ${format} would replace "${replaced}", which it reads; name another --out`);
    return { file, render };
  });
  ensureWritable(
    out,
    forms.map(({ file }) => file),
  );
  const paths: string[] = [];
  for (const { file, render } of forms) paths.push(store(out, file, await render()));
  return paths;
}
