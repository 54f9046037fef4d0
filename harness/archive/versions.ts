import { createHash } from "node:crypto";
import { createReadStream, existsSync, globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Report } from "../results/model.ts";

const FOLDERS = ["transports", "scenarios", "harness", "reports", "ci"];

interface PackageFile {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * Describes the sources and the runtime that are installed now: versions, and the SHA-256 of every file. They are those
 * of the run only if nothing was installed since then. So the result also has the versions that the run itself stored.
 */
export async function describeVersions({ environment }: Report): Promise<object> {
  const root = packageRoot();
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as PackageFile;
  const built = existsSync(join(root, "dist")) && import.meta.url.endsWith(".js");
  const below = (folder: string): string => `${built ? "dist/" : ""}${folder}/**/*.{ts,js,mjs,py,c,h}`;
  const paths = globSync(FOLDERS.map(below), { cwd: root, exclude: (name) => name.endsWith("node_modules") });
  const sources = await Promise.all(
    paths.sort().map(async (path) => [path.replaceAll("\\", "/"), await hashOfFile(join(root, path))] as const),
  );
  return {
    run: { ipcmark: environment.ipcmark, node: environment.node, v8: environment.v8, binding: environment.ffi.binding },
    now: { ipcmark: own.version, ...process.versions, executable: await hashOfFile(process.execPath) },
    packages: Object.fromEntries(
      Object.keys({ ...own.dependencies, ...own.optionalDependencies }).map((name) => [name, versionOf(name)]),
    ),
    sources: Object.fromEntries(sources),
  };
}

function packageRoot(): string {
  let at = import.meta.dirname;
  while (!existsSync(join(at, "package.json"))) at = dirname(at);
  return at;
}

async function hashOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** Returns the version of an installed package; null if it is not installed. */
function versionOf(name: string): string | null {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const file = folders.map((folder) => join(folder, name, "package.json")).find((path) => existsSync(path));
  return file === undefined ? null : (JSON.parse(readFileSync(file, "utf8")) as PackageFile).version;
}
