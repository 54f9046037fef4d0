import { dirname, join } from "node:path";
import { Command } from "commander";
import { bundleFiles, REPORT, SCRIPT, wrongFiles } from "../archive/contents.ts";
import { packed, unpacked } from "../archive/tarball.ts";
import { describeVersions } from "../archive/versions.ts";
import { note } from "../process/note.ts";
import { loadReport } from "../results/load-report.ts";
import { parseJson } from "../results/parse-json.ts";
import { reasonOf, StoreError, store } from "../results/store.ts";
import { readBytes } from "../results/text-file.ts";
import { print } from "./output.ts";

const NAME = "bundle.tgz";

export function bundleCommand(): Command {
  return new Command("bundle")
    .description("pack a report with every trial, their order, failures, versions, hashes and a script that repeats it")
    .argument("[file]", "the report.json to pack", "ipcmark-out/report.json")
    .option("--out <dir>", `folder for ${NAME} (default: the folder of the report)`)
    .action(async (file: string, { out = dirname(file) }: { out?: string }) => {
      const report = loadReport(file);
      const files = bundleFiles(report, await describeVersions(report));
      const path = store(out, NAME, await packed(files));
      print([...files].map(([name, text]) => `${name}  ${Buffer.byteLength(text)} bytes`).join("\n"));
      note(`\nwritten: ${path}; ipcmark report ${join(out, NAME)} verifies and shows it`);
    });
}

export const isBundle = (path: string): boolean => /\.(tgz|tar\.gz)$/i.test(path);

/** Contents of an archive whose hashes are right: its report, and its script, which is shown and never started. */
export interface Opened {
  readonly report: unknown;
  readonly script: string;
}

/**
 * Reads an archive of any origin.
 *
 * @throws StoreError if it is no bundle, or a file in it was changed
 */
export async function openBundle(path: string): Promise<Opened> {
  let archive: Buffer;
  try {
    archive = readBytes(path);
  } catch (error) {
    throw new StoreError(`cannot read "${path}": ${reasonOf(error)}; name a bundle.tgz that bundle has written`);
  }
  const files = await unpacked(archive, path);
  const wrong = wrongFiles(files);
  if (wrong.length > 0)
    throw new StoreError(`"${path}" was changed after it was packed: ${wrong.join("; ")}; get the original again`);
  const text = files.get(REPORT);
  if (text === undefined) throw new StoreError(`"${path}" has no ${REPORT}; name a bundle.tgz that bundle has written`);
  try {
    return { report: parseJson(text), script: files.get(SCRIPT) ?? "" };
  } catch (error) {
    throw new StoreError(
      `${REPORT} in "${path}" is not JSON (${reasonOf(error)}); name a bundle.tgz that bundle has written`,
    );
  }
}

/** Prints the script of an archive. All control characters in it become visible. */
export function showScript(script: string): void {
  print(`\n${SCRIPT} of this archive (only shown, not started):\n\n${script.replace(/^/gm, "    ").trimEnd()}`);
}
