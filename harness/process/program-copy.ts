/**
 * A copy of this program that every user of the machine may read: a checkout or a package often lies where only its owner can
 * look, and a process of another user could then not even load the code it is to be refused with.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds `harness/`: the repository, or `dist/` of the package. */
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** What a process that connects can import. */
const FOLDERS = ["harness", "transports"] as const;
const NOT_NEEDED =
  /(?:^|[\\/])(?:\.[^\\/]*|bench|html|limit|__pycache__)$|\.(?:test|bench)\.[jt]s$|\.(?:md|map|d\.ts|d\.mts|d\.cts)$/;
const OTHERS_READ = 0o004;
const OTHERS_ENTER = 0o001;

interface Manifest {
  readonly type?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** A program that another user can run. */
export interface ProgramCopy {
  /** The runtime, where he may execute it. */
  readonly runtime: string;
  /** The entry file of the driver in the copy. */
  readonly driver: string;
  /** Where a module is that lies in this program or that he may read anyway. @throws Error when he cannot get at it */
  locate(module: string): string;
}

/** Puts the copy into a directory that does not exist yet, which becomes readable for everybody: about 0.1 s, mostly links. */
export function copyProgram(directory: string): void {
  makeDirectory(directory);
  for (const folder of FOLDERS) copyTree(join(ROOT, folder), join(directory, folder), NOT_NEEDED);
  const manifest = manifestAbove(ROOT);
  copyFile(manifest, join(directory, "package.json"));
  copyDependencies(manifest, join(directory, "node_modules"), new Set());
  if (!othersMayRead(process.execPath)) copyFile(process.execPath, join(directory, runtimeName()));
}

/** The copy in a directory that {@link copyProgram} has filled. */
export function programIn(directory: string): ProgramCopy {
  const own = join(directory, runtimeName());
  const entry = relative(ROOT, fileURLToPath(import.meta.url)).replace(/process([\\/])program-copy/, "driver$1main");
  return {
    runtime: existsSync(own) ? own : process.execPath,
    driver: join(directory, entry),
    locate(module) {
      const inside = relative(ROOT, module);
      const copied = join(directory, inside);
      if (!inside.startsWith(`..${sep}`) && existsSync(copied)) return copied;
      if (othersMayRead(module)) return module;
      throw new Error(`other users may not read ${module}: put it where they can`);
    },
  };
}

/** Whether every user gets through all directories above this path, which need not exist itself. */
export function othersMayReach(path: string): boolean {
  for (let at = dirname(path); ; at = dirname(at)) {
    if ((lstatSync(at).mode & OTHERS_ENTER) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

function othersMayRead(path: string): boolean {
  return (lstatSync(path).mode & OTHERS_READ) !== 0 && othersMayReach(path);
}

function runtimeName(): string {
  return process.platform === "win32" ? "node.exe" : "node";
}

function manifestAbove(directory: string): string {
  const here = join(directory, "package.json");
  return existsSync(here) ? here : join(dirname(directory.replace(/[\\/]$/, "")), "package.json");
}

/** Every package this one can reach, side by side as an installer lays them; one that is not installed is left out. */
function copyDependencies(manifest: string, into: string, done: Set<string>): void {
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(manifest, "utf8")) as Manifest;
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    if (done.has(name)) continue;
    done.add(name);
    const from = installed(name, manifest);
    if (from === undefined) continue;
    copyTree(from, join(into, name), /\.(?:md|map|d\.ts|d\.mts|d\.cts)$/);
    copyDependencies(join(from, "package.json"), into, done);
  }
}

function installed(name: string, importer: string): string | undefined {
  const folders = createRequire(importer).resolve.paths(name) ?? [];
  const found = folders.map((folder) => join(folder, name)).find((folder) => existsSync(join(folder, "package.json")));
  return found === undefined ? undefined : realpathSync(found);
}

function copyTree(from: string, to: string, leaveOut: RegExp): void {
  makeDirectory(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (leaveOut.test(source)) continue;
    if (entry.isDirectory()) copyTree(source, target, leaveOut);
    else if (entry.isFile()) copyFile(source, target);
  }
}

/** Whatever the mask of this process takes away, others can look into it. */
function makeDirectory(path: string): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o755);
}

/** A link where its bits are right as they are, because a link costs nothing; else bytes of its own. */
function copyFile(from: string, to: string): void {
  const { mode } = lstatSync(from);
  if ((mode & OTHERS_READ) !== 0) {
    try {
      linkSync(from, to);
      return;
    } catch {
      // Another file system, or one without links.
    }
  }
  copyFileSync(from, to);
  chmodSync(to, (mode & 0o111) === 0 ? 0o644 : 0o755);
}
