/** Gives a fresh tree of the base the packages of its own lock files, and what its setup makes. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { oneLine } from "../../harness/process/rules.ts";
import { IncompleteError } from "../../harness/results/exit-codes.ts";
import { OutputTail } from "../../transports/support/output-tail.ts";

/** Limit of an install and of a setup, ms. */
const LIMIT_MS = 15 * 60_000;
const MOST_OUTPUT_BYTES = 64 * 1024 * 1024;
const run = promisify(execFile);

export interface Preparation {
  /** Directory of the tree. */
  readonly tree: string;
  /** Folder that the command runs in, relative to the tree's root. */
  readonly folder: string;
  /** Command of the user for builds and generated code. */
  readonly setup: string | undefined;
  readonly signal: AbortSignal;
}

export interface Prepared {
  /** Commands that ran, such as `npm ci`; empty where nothing was to be done. */
  readonly ran: readonly string[];
  /** Sentences for the user. */
  readonly notes: readonly string[];
  /** True where the same commit gives the same tree again. */
  readonly isRepeatable: boolean;
}

interface Step {
  /** Absolute path. */
  readonly folder: string;
  readonly command: string;
  readonly isLocked: boolean;
}

/** @throws IncompleteError with the last line of what failed */
export async function prepareTree({ tree, folder, setup, signal }: Preparation): Promise<Prepared> {
  const notes: string[] = [];
  const ran: string[] = [];
  const steps = foldersTo(tree, folder).flatMap((each) => stepFor(each, each === tree, notes));
  for (const { folder, command } of steps) {
    const failure = await failureOf(command, folder, tree, signal);
    if (failure === undefined) ran.push(command);
    else if (setup === undefined) throw new IncompleteError(`${failure}; ${REMEDY}`);
    else notes.push(`${failure}; the gate goes on with --base-setup`);
  }
  if (setup !== undefined) {
    const failure = await failureOf(setup, tree, tree, signal);
    if (failure !== undefined) throw new IncompleteError(`${failure}; mend --base-setup, or use --base-dir`);
    ran.push(setup);
  }
  return { ran, notes, isRepeatable: steps.every(({ isLocked }) => isLocked) };
}

const REMEDY = 'give what prepares the base with --base-setup "<command>", or a prepared checkout with --base-dir';

/** Returns the root and the folders on the way to `folder`: a part of a repository may have a lock file of its own. */
export function foldersTo(tree: string, folder: string): string[] {
  const parts = folder.split(sep).filter((part) => part !== "");
  return [tree, ...parts.map((_, index) => join(tree, ...parts.slice(0, index + 1)))];
}

function stepFor(folder: string, isRoot: boolean, notes: string[]): Step[] {
  if (!existsSync(join(folder, "package.json"))) return [];
  if (existsSync(join(folder, "node_modules"))) {
    notes.push("node_modules is committed in the base, which uses those packages; nothing is installed over them");
    return [];
  }
  const command = lockedInstall(folder);
  if (command !== undefined) return [{ folder, command, isLocked: true }];
  if (!isRoot || !needsPackages(folder)) return [];
  notes.push("the base has no lock file: its packages may be newer than those that its commit was made with");
  return [{ folder, command: `npm install --no-package-lock ${QUIET}`, isLocked: false }];
}

/**
 * Refuses a base whose packages only Yarn finds. A process that measures would find those of the head, or none.
 *
 * @throws IncompleteError with the ways out
 */
export function refusePlugAndPlay(tree: string): void {
  if (!existsSync(join(tree, ".pnp.cjs")) || existsSync(join(tree, "node_modules"))) return;
  throw new IncompleteError(
    "the base has its packages by Yarn Plug'n'Play, which modules of the gate cannot use; " +
      'give --base-setup "YARN_NODE_LINKER=node-modules yarn install", or compare a command with --cmd "yarn node …"',
  );
}

const QUIET = "--no-audit --no-fund";

function lockedInstall(folder: string): string | undefined {
  const has = (name: string): boolean => existsSync(join(folder, name));
  if (has("package-lock.json") || has("npm-shrinkwrap.json")) return `npm ci ${QUIET}`;
  if (has("pnpm-lock.yaml")) return "pnpm install --frozen-lockfile";
  if (!has("yarn.lock")) return undefined;
  // The lock files of Yarn 2 and later have this entry; Yarn 1 refuses their flag.
  const isModern = readFileSync(join(folder, "yarn.lock"), "utf8").includes("__metadata:");
  return `yarn install ${isModern ? "--immutable" : "--frozen-lockfile"}`;
}

function needsPackages(folder: string): boolean {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, unknown>;
    const wants = (name: string): boolean => Object.keys(manifest[name] ?? {}).length > 0;
    return ["dependencies", "devDependencies", "optionalDependencies", "workspaces"].some(wants);
  } catch {
    return false;
  }
}

/** Runs a command in a shell. @returns why it failed; undefined when it did not */
async function failureOf(command: string, cwd: string, tree: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const limits = { timeout: LIMIT_MS, killSignal: "SIGKILL", maxBuffer: MOST_OUTPUT_BYTES, signal } as const;
    await run(command, [], { cwd, shell: true, env: environmentIn(tree), ...limits });
    return undefined;
  } catch (error) {
    const { stderr = "", stdout = "", killed } = error as { stderr?: string; stdout?: string; killed?: boolean };
    const last = killed ? `it did not end within ${LIMIT_MS / 60_000} minutes` : (reasonIn(stderr) ?? reasonIn(stdout));
    return `"${oneLine(command)}" failed in the base${last === undefined ? "" : `: ${last}`}`;
  }
}

/**
 * Lines that hold no reason: a package manager's description of the script that it ran, its advice, and warnings.
 * YN0000 is what Yarn 2 and later print without being asked.
 */
const WITHOUT_REASON = [
  /^(code \d|errno|syscall|path|workspace|location|command)\b|^Lifecycle script|^A complete log of this run/,
  /^npm (notice|warn)\b|^info Visit|\bYN0000\b|^\(node:\d+\)|^\(Use `node --trace|^\s*$/i,
];
/** Text that npm puts before each line of an error. */
const NPM = /^npm (?:error|ERR!) ?/;
/** Start of a line with a sentence of npm; the line before it has only a code. */
const SENTENCE_OF_NPM = /^npm (?:error|ERR!) (?!code )/;
/** Lines that are the reason wherever they stand: advice follows them. */
const REASON = /ERR_PNPM_|Missing script: /;
/** Line of npm about a script that failed. The reason is then in the script's own output, which ends with it. */
const OF_SCRIPT = /^npm (?:error|ERR!) (?:command failed|Lifecycle script)/m;

/**
 * Returns the line with the reason, without the `npm error` before it: the first one of an error of npm itself, whose
 * advice follows it, and the last one of any other program. Undefined when there is none.
 */
export function reasonIn(output: string): string | undefined {
  const lines = output.split("\n");
  const own = OF_SCRIPT.test(output) ? undefined : lines.find((line) => SENTENCE_OF_NPM.test(line) && isTelling(line));
  const tail = new OutputTail();
  tail.add(lines.filter(isTelling).map(withoutNpm).join("\n"));
  const reason = lines.find((line) => REASON.test(line)) ?? own ?? tail.lastTelling();
  return reason === undefined ? undefined : oneLine(withoutNpm(reason));
}

function isTelling(line: string): boolean {
  return !WITHOUT_REASON.some((pattern) => pattern.test(withoutNpm(line)));
}

function withoutNpm(line: string): string {
  return line.replace(NPM, "");
}

/** Variables that `npm run` sets for the head: its package, and which dependencies are left out. */
const OF_THE_HEAD = /^(npm_(package|lifecycle|command|config_local_prefix)|INIT_CWD$|NODE_ENV$)/;

/**
 * Returns the environment without the head's programs, which `npm run` puts first: those of the working directory and
 * the folders above it. Other folders of programs stay, such as that of a package manager. Native packages are built
 * for the Node that measures.
 */
export function environmentIn(tree: string): NodeJS.ProcessEnv {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OF_THE_HEAD.test(name)));
  const usual = (process.env["PATH"] ?? "").split(delimiter).filter((path) => !isOfTheHead(path));
  const own = [join(tree, "node_modules", ".bin"), dirname(process.execPath)];
  return { ...env, PATH: [...own, ...usual].join(delimiter) };
}

function isOfTheHead(path: string): boolean {
  const owner = /^(.*)[/\\]node_modules[/\\]\.bin[/\\]?$/.exec(path)?.[1];
  return owner !== undefined && `${process.cwd()}${sep}`.startsWith(`${resolve(owner)}${sep}`);
}
