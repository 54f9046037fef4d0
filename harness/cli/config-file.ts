import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command, Option } from "commander";
import { SETTINGS } from "../../ci/gate/settings.ts";
import { UsageError } from "../results/exit-codes.ts";
import { importDefault, withRemedy } from "./import-remedy.ts";
import { unknownName } from "./suggest.ts";

/** Names that are tried in the working directory when `--config` names no file. */
const NAMES = ["ipcmark.config.ts", "ipcmark.config.mts", "ipcmark.config.mjs", "ipcmark.config.js"] as const;
const COMMANDS = [
  "compare",
  "check",
  "measure",
  "gate",
  "report",
  "merge",
  "recheck",
  "record",
  "list",
  "doctor",
] as const;
const SECTIONS: readonly string[] = ["flags", ...COMMANDS];
/** Flags whose values may be paths, relative to the file. */
const PATH_FLAGS = ["out", "file", "adr", "junit", "baseDir", "history", "drift"];
/** Short names of flags in the section of their command. */
const SHORT_NAMES: Readonly<Partial<Record<string, Readonly<Record<string, string>>>>> = {
  gate: { setup: "baseSetup" },
};
/** Lists of a section that are no flags; the command reads and checks them. */
const LISTS: Readonly<Partial<Record<string, readonly string[]>>> = { gate: SETTINGS };
const MODULE = /\.[cm]?[jt]s$/;

type Value = string | number | boolean | readonly (string | number)[];
/** Contents of a file: `Config`, if its author let the compiler examine it. */
type Sections = Readonly<Partial<Record<string, Readonly<Record<string, Value>>>>>;

/**
 * Adds `--config` and fills in, before the command runs, what the command line left open.
 *
 * @param everyFlag the flags of all commands: `flags` of a configuration may name any of them
 */
export function withConfig(command: Command, everyFlag: () => Promise<readonly string[]>): Command {
  return command
    .option("--config <file>", `file with defaults for flags (default: ${NAMES[0]} of this folder, if it exists)`)
    .hook("preAction", async (_parent, command) => {
      const path = configPath(command.getOptionValue("config"));
      if (path === undefined) return;
      const config = await load(path);
      await checkShared(config, path, flagsOf(command), everyFlag);
      apply(command, path, config);
    });
}

function configPath(given: unknown): string | undefined {
  if (typeof given !== "string") return NAMES.map((name) => resolve(name)).find((path) => existsSync(path));
  if (!existsSync(given)) throw new UsageError(`configuration "${given}" does not exist`);
  return resolve(given);
}

async function load(path: string): Promise<Sections> {
  let config: unknown;
  try {
    config = await importDefault(pathToFileURL(path).href);
  } catch (error) {
    throw new UsageError(`configuration "${path}" cannot be loaded: ${withRemedy((error as Error).message, path)}`);
  }
  if (!isRecord(config)) throw new UsageError(`configuration "${path}" must export an object by default`);
  for (const [section, flags] of Object.entries(config)) {
    if (!SECTIONS.includes(section)) throw new UsageError(`${path}: ${unknownName("section", section, SECTIONS)}`);
    if (!isRecord(flags)) throw new UsageError(`${path}: "${section}" must be an object of flags`);
  }
  return config as Sections;
}

export function flagsOf(command: Command): string[] {
  return command.options.map((option) => option.attributeName());
}

/** Accepts flags of other commands, and throws for flags of none. */
async function checkShared(
  { flags = {} }: Sections,
  path: string,
  own: readonly string[],
  everyFlag: () => Promise<readonly string[]>,
): Promise<void> {
  const foreign = Object.keys(flags).filter((name) => !own.includes(name));
  if (foreign.length === 0) return;
  const known = await everyFlag();
  for (const name of foreign) {
    if (!known.includes(name)) throw new UsageError(`${path}: ${unknownName("flag", name, known)}`);
  }
}

function apply(command: Command, path: string, { flags, ...sections }: Sections): void {
  const section = sections[command.name()] ?? {};
  const lists = (LISTS[command.name()] ?? []).filter((name) => section[name] !== undefined);
  for (const name of lists) command.setOptionValueWithSource(name, section[name], "config");
  const flagsOnly = Object.fromEntries(Object.entries(section).filter(([name]) => !lists.includes(name)));
  const own = fullNames(command.name(), flagsOnly);
  const known = flagsOf(command);
  for (const name of Object.keys(own)) {
    if (!known.includes(name)) throw new UsageError(`${path}: ${unknownName("flag", name, known)}`);
  }
  const typed = command.options.filter((option) => command.getOptionValueSource(option.attributeName()) === "cli");
  for (const [name, value] of Object.entries({ ...flags, ...own })) {
    const option = command.options.find((each) => each.attributeName() === name);
    if (option === undefined || typed.includes(option) || typed.some((each) => exclude(each, option))) continue;
    command.setOptionValueWithSource(name, parsed(option, value, path), "config");
  }
}

function fullNames(command: string, flags: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> {
  const named = SHORT_NAMES[command] ?? {};
  return Object.fromEntries(Object.entries(flags).map(([name, value]) => [named[name] ?? name, value]));
}

/** True where two flags conflict: then the default gives way to the typed one. */
function exclude(a: Option, b: Option): boolean {
  const conflicts = ({ conflictsWith }: Option & { conflictsWith?: readonly string[] }): readonly string[] =>
    conflictsWith ?? [];
  return conflicts(a).includes(b.attributeName()) || conflicts(b).includes(a.attributeName());
}

/** Parses a value as if it had been typed. */
function parsed(option: Option, value: Value, path: string): unknown {
  const name = option.attributeName();
  if (option.isBoolean() || option.negate) {
    if (typeof value !== "boolean") throw new UsageError(`${path}: "${name}" is true or false, not "${value}"`);
    return value;
  }
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (values.some((each) => typeof each === "object"))
    throw new UsageError(`${path}: "${name}" takes texts or numbers, not objects${listHint(name)}`);
  const texts = values.map((each) => located(name, String(each), path));
  if (!option.variadic && texts.length !== 1) throw new UsageError(`${path}: "${name}" takes one value`);
  try {
    if (option.parseArg === undefined) return option.variadic ? texts : texts[0];
    return texts.reduce<unknown>((before, text) => option.parseArg?.(text, before), undefined);
  } catch (error) {
    throw new UsageError(`${path}: "${name}": ${(error as Error).message}`);
  }
}

/** Names the list whose name is nearly that of a flag, such as `budgets` beside `budget`. */
function listHint(name: string): string {
  const near = Object.values(LISTS)
    .flatMap((lists) => lists ?? [])
    .find((list) => list.startsWith(name));
  return near === undefined ? "" : ` (did you mean ${near}?)`;
}

function located(name: string, text: string, path: string): string {
  const isModule = ["transport", "profile"].includes(name) && MODULE.test(text);
  const isPath = PATH_FLAGS.includes(name) || isModule || (name === "messages" && !/^\d+$/.test(text));
  return isPath ? resolve(dirname(path), text) : text;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
