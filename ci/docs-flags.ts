/** Writes the table of all flags from the definitions of the commands; `docs.test.ts` compares it with its document. */
import type { Command, Option } from "commander";
import { COMMANDS, everyFlag } from "../harness/cli/commands.ts";
import { withConfig } from "../harness/cli/config-file.ts";

const INTRODUCTION = [
  "# Every flag",
  "",
  "A test writes this table from the definitions of the commands (`npx vitest run ci/docs -u`). In a clone, flags go",
  "behind `--`: `npm run compare -- --quick`. With the package installed: `npx ipcmark compare --quick`. A value with",
  "`...` may be repeated, separated by blanks or commas. An `ipcmark.config.ts` names flags in camel case, such as",
  "`keepAwake` or `cBaseline`.",
  "",
];

/** Returns the document: a table with a row for each flag and meaning, and the commands that take it. */
export async function flagsDocument(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map(async (load) => withConfig(await load(), everyFlag)));
  return `${[...INTRODUCTION, "| flag | commands | meaning |", "|---|---|---|", ...flagRows(commands)].join("\n")}\n`;
}

/** Returns the rows of visible flags by name; a flag whose meaning differs between commands has several. */
export function flagRows(commands: readonly Command[]): string[] {
  const all = commands.length;
  const takers = new Map<string, string[]>();
  for (const command of commands)
    for (const option of command.options.filter(({ hidden }) => !hidden)) {
      const key = `${cell(`\`${option.flags}\``)} | ${cell(meaning(option))}`;
      takers.set(key, [...(takers.get(key) ?? []), command.name()]);
    }
  return [...takers]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, names]) => {
      const [flag, text] = key.split(/ \| (.*)/s);
      return `| ${flag} | ${names.length === all ? "all" : names.join(", ")} | ${text} |`;
    });
}

function meaning({ description, defaultValue, defaultValueDescription }: Option): string {
  const shown = defaultValueDescription ?? defaultValue;
  return shown === undefined || typeof shown === "boolean" ? description : `${description} (default: ${shown})`;
}

/** Escapes what would end a cell. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
