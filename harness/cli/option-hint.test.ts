import type { Command } from "commander";
import { expect, test } from "vitest";
import { COMMANDS } from "./commands.ts";
import { optionHint } from "./option-hint.ts";

const load = (name: string): Promise<Command> => (COMMANDS[name] as () => Promise<Command>)();

test("an option that is cut short is suggested in every command, by its shortest name", async () => {
  const commands = await Promise.all(Object.keys(COMMANDS).map(load));
  for (const command of commands) {
    const names = command.options.flatMap(({ hidden, long }) => (hidden ? [] : [long ?? ""]));
    for (const name of names.filter(({ length }) => length > 5)) {
      const cut = name.slice(0, -1);
      const [shortest] = names.filter((other) => other.startsWith(cut)).sort((a, b) => a.length - b.length);
      expect(await optionHint(cut, command), `${command.name()} ${cut}`).toBe(` (did you mean ${shortest}?)`);
    }
  }
});

test.each([
  ["measure", "--bench", " (did you mean --benchmark?)"],
  ["compare", "--payloads=64", " (did you mean --payload?)"],
  ["compare", "-transport", " (did you mean --transport?)"],
  ["gate", "--seconds", " (did you mean --cmd-seconds?)"],
  ["gate", "--clients", " (compare and measure have it)"],
  ["check", "--against=last", " (compare has it)"],
  ["list", "--hepl", " (did you mean --help?)"],
  ["list", "--xyzzy", ""],
])("%s %s: %s", async (command, typed, hint) => {
  expect(await optionHint(typed, await load(command))).toBe(hint);
});
