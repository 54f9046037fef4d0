import type { Command } from "commander";
import { COMMANDS } from "./commands.ts";
import { nearName } from "./suggest.ts";

/**
 * Returns what an unknown option may stand for: the flag of the command that it begins, or is nearly or part of;
 * otherwise the commands that have it. Empty where there is neither.
 *
 * @param typed the option as it was typed, with its value behind `=` if it had one
 */
export async function optionHint(typed: string, command: Command): Promise<string> {
  const name = typed.replace(/^-+/, "").replace(/=.*$/s, "");
  const near = nearName(name, namesOf(command));
  if (near !== undefined) return ` (did you mean --${near}?)`;
  const others = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  const having = others.filter((other) => namesOf(other).includes(name)).map((other) => other.name());
  if (having.length === 0) return "";
  return ` (${new Intl.ListFormat("en").format(having)} ${having.length === 1 ? "has" : "have"} it)`;
}

/** Returns the names of the visible options, with `help`, without their dashes. */
function namesOf(command: Command): string[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long }) => (long ? [long.slice(2)] : []));
}
