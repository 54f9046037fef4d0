import { constants, copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { Command } from "commander";
import { type Example, exampleDirectory, exampleOf } from "../../transports/examples.ts";
import { REGISTRY } from "../../transports/registry.ts";
import { ours } from "../doctor/commands.ts";
import { note } from "../process/note.ts";
import { UsageError } from "../results/exit-codes.ts";
import type { Report } from "../results/model.ts";
import { reasonOf } from "../results/store.ts";
import { print } from "./output.ts";
import { unknownName } from "./suggest.ts";

export function exampleCommand(): Command {
  return new Command("example")
    .description("copy a client and a server of a mechanism, to start your own from (MIT-0: without conditions)")
    .argument("<id>", "the transport, such as unix; ipcmark list shows all")
    .argument("<dir>", "folder to write to; it is made if it does not exist, and no file is overwritten")
    .action((id: string, directory: string) => {
      const example = exampleOf(id);
      if (example === undefined)
        throw new UsageError(
          unknownName(
            "transport",
            id,
            REGISTRY.map((entry) => entry.id),
          ),
        );
      const written = copyExample(example, directory);
      print(written.join("\n"));
      if (example.differs !== undefined)
        note(`${id} has no example of its own; this one shows ${example.shows}. With ${id}, ${example.differs}`);
    });
}

/**
 * Copies the programs of an example. Overwrites nothing: if a file exists already, all copies are removed again.
 *
 * @returns paths of the copies
 * @throws UsageError if a file exists or cannot be written
 */
export function copyExample(example: Example, directory: string): string[] {
  const from = exampleDirectory(example);
  const written: string[] = [];
  try {
    mkdirSync(directory, { recursive: true });
    for (const name of readdirSync(from).filter((each) => /\.(mjs|py)$/.test(each))) {
      copyFileSync(join(from, name), join(directory, name), constants.COPYFILE_EXCL);
      written.push(join(directory, name));
    }
  } catch (error) {
    for (const path of written) rmSync(path);
    const { dest = directory } = error as { dest?: string };
    throw new UsageError(`cannot write "${dest}": ${reasonOf(error)}; name another folder`);
  }
  return written;
}

/**
 * Returns the last line of an answer, which has the path of the example of the pick; undefined if there is none, or if
 * the run could not tell which mechanism to use.
 */
export function exampleLine(pick: Report["pick"]): string | undefined {
  if (!pick || pick.verdict === "cannot-tell") return undefined;
  const example = exampleOf(pick.transport);
  if (example === undefined) return undefined;
  const path = relative(process.cwd(), exampleDirectory(example));
  const shows = example.shows === pick.transport ? "" : ` (shows ${example.shows}, the nearest)`;
  return `example to copy: ${path}${shows}; ${ours("example", pick.transport, "<dir>")}`;
}
