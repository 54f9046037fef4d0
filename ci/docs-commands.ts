/** Finds the commands and the code of documents, as pure functions; `docs.test.ts` examines them. */

/** Block of code of a document. */
export interface CodeBlock {
  readonly document: string;
  /** Name behind the fence, or "" where there is none. */
  readonly language: string;
  readonly code: string;
}

/** Command of a document, split into words. */
export interface NamedCommand {
  readonly document: string;
  readonly text: string;
  readonly words: readonly string[];
}

const FENCED = /^( *)```(\w*)\n(.*?)^\1```$/gms;

/** Returns the fenced blocks of a document. */
export function blocksOf(document: string, text: string): CodeBlock[] {
  return [...text.matchAll(FENCED)].map(([, , language = "", code = ""]) => ({
    document,
    language,
    code,
  }));
}

/** Returns commands of `npm run`, `npx` and `ipcmark` in a document, in blocks for a shell and in the text. */
export function commandsOf(document: string, text: string): NamedCommand[] {
  const inBlocks = blocksOf(document, text)
    .filter(({ language }) => language === "sh")
    .flatMap(({ code }) => code.split("\n"));
  const prose = text.replace(FENCED, "");
  const inText = [...prose.matchAll(/`([^`]+)`/g)].map(([, code = ""]) =>
    code.replaceAll("\\|", "|").replace(/\s+/g, " "),
  );
  return [...inBlocks, ...inText]
    .flatMap((line) => line.replace(/ # .*| +#.*$/, "").split(/&&|\|\|?/))
    .map((command) => command.trim())
    .filter((command) => /^(npm (run .|test\b|ci\b|pack\b)|npx |ipcmark [a-z])/.test(command))
    .map((command) => ({ document, text: command, words: wordsOf(withValues(command)) }));
}

/** Returns the flags that the text of a document names with a command, such as `report --adr`. */
export function flagsOf(
  text: string,
  commands: readonly string[],
): { readonly command: string; readonly flag: string }[] {
  return [...text.replace(FENCED, "").matchAll(/`(\w+) (--[^`]+)`/g)].flatMap(([, command = "", rest = ""]) =>
    commands.includes(command) ? [...rest.matchAll(/(?<!\S)--([a-z-]+)/g)].map(([flag]) => ({ command, flag })) : [],
  );
}

/** Replaces placeholders such as `<id>` and `<server…>` by a value that a flag takes. */
function withValues(command: string): string {
  return command.replace(/<id>/g, "unix").replace(/<([^>]*)>/g, (_, name: string) => name.replace(/[^a-z]/g, ""));
}

/** Returns the commands of a template for CI: lines of `run` and `script`. */
export function commandsOfTemplate(path: string, text: string): NamedCommand[] {
  const lines = text.split("\n").map((line) =>
    line
      .trim()
      .replace(/^- (run: )?/, "")
      .replace("node_modules/.bin/ipcmark", "npx ipcmark")
      .replace(" 2>&1", ""),
  );
  return commandsOf(path, `\`\`\`sh\n${lines.join("\n")}\n\`\`\`\n`);
}

/** Returns commands that are indented instead of fenced. */
export function indentedCommands(text: string): string[] {
  return [...text.replace(FENCED, "").matchAll(/^ {4,}((?:npm|npx|ipcmark|git|node) .*)$/gm)].map(
    ([, line = ""]) => line,
  );
}

/** Splits a command as a shell does, as far as double quotes go. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}

/**
 * Returns the arguments that a command passes to ipcmark, the command's name first; undefined where it runs something
 * else.
 *
 * @throws Error if it names a script that the manifest does not have
 */
export function ipcmarkArguments(
  words: readonly string[],
  scripts: Readonly<Record<string, string>>,
): string[] | undefined {
  const rest = words.filter((word) => word !== "-s");
  const [program, second, third = ""] = rest;
  if (program === "ipcmark") return rest.slice(1);
  if (program === "npx") return second === "ipcmark" ? rest.slice(2) : undefined;
  const name = second === "run" ? third : (second ?? "");
  if (name === "ci" || name === "pack") return;
  const script = scripts[name];
  if (script === undefined) throw new Error(`there is no script ${name}`);
  const command = /^node harness\/cli\/main\.ts (\w+)$/.exec(script)?.[1];
  return command === undefined
    ? undefined
    : [command, ...rest.slice(second === "run" ? 3 : 2).filter((word) => word !== "--")];
}
