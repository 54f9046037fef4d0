import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, matchesGlob, posix, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { EXIT } from "../harness/results/exit-codes.ts";
import { WARNINGS } from "../harness/results/warnings.ts";
import { IPC_ERROR_CODES } from "../transports/contract/errors.ts";
import type { Transport } from "../transports/contract/transport.ts";
import { REGISTRY } from "../transports/registry.ts";
import { assetsIn } from "./copy-assets.ts";
import { type BuildScope, compiledSources, deadLinks, missingPackages } from "./package-list.ts";
import {
  circles,
  isTestTool,
  rulesFor,
  SHARED_ROOMS,
  strayLibraries,
  wrongDirections,
  wrongTables,
} from "./tidy-rules.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDERS = ["transports", "scenarios", "harness", "reports", "ci"] as const;
const LONGEST_FILE = 400;

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const paths = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((path) => join(folder, path)),
)
  .filter((path) => !path.includes("node_modules") && statSync(join(ROOT, path)).isFile())
  .map((path) => path.split(sep).join("/"));
const files = paths.filter((path) => /\.(ts|js|py|c)$/.test(path));
const DOCUMENTS = [...readdirSync(ROOT), ...paths].filter((path) => path.endsWith(".md"));

/** Returns the modules that a file imports: relative ones as paths below the root, packages by name. */
function importsOf(path: string): string[] {
  const text = readFileSync(join(ROOT, path), "utf8");
  return [...text.matchAll(/(?<![.\w-])(?:from|import)\s*\(?\s*"([^"\n]+)"/g)].map(([, name = ""]) =>
    name.startsWith(".")
      ? relative(ROOT, resolve(dirname(join(ROOT, path)), name))
          .split(sep)
          .join("/")
      : name,
  );
}

const allImports = new Map(
  files.map((path) => [path, path.endsWith(".py") || path.endsWith(".c") ? [] : importsOf(path)]),
);
const shipped = new Map([...allImports].filter(([path]) => path.endsWith(".ts") && !isTestTool(path)));
const MECHANISMS = readdirSync(join(ROOT, "transports"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !SHARED_ROOMS.includes(entry.name))
  .map((entry) => entry.name);

describe("the order of the project", () => {
  it("has every import go in a direction that the design allows", () => {
    expect(wrongDirections(shipped, rulesFor(MECHANISMS))).toEqual([]);
  });

  it.each([
    ["transports/contract/a.ts", "transports/support/b.ts"],
    ["transports/contract/a.ts", "koffi"],
    ["transports/support/a.ts", "transports/pipes/b.ts"],
    ["transports/support/a.ts", "harness/process/b.ts"],
    ["transports/posix/a.ts", "transports/support/b.ts"],
    ["transports/pipes/a.ts", "transports/sockets/b.ts"],
    ["transports/pipes/a.ts", "scenarios/check.ts"],
    ["transports/registry.ts", "harness/process/b.ts"],
    ["scenarios/checks/a.ts", "harness/driver/b.ts"],
    ["scenarios/conformance/a.ts", "transports/sockets/b.ts"],
    ["harness/results/a.ts", "harness/coordinator/b.ts"],
    ["harness/process/a.ts", "harness/driver/b.ts"],
    ["harness/pick/a.ts", "harness/cli/b.ts"],
    ["harness/pick/a.ts", "harness/decision/b.ts"],
    ["harness/decision/a.ts", "reports/b.ts"],
    ["harness/rpc/a.ts", "harness/peer/b.ts"],
    ["harness/c-baseline/a.ts", "harness/coordinator/b.ts"],
    ["harness/bundle/a.ts", "harness/coordinator/b.ts"],
    ["harness/doctor/a.ts", "harness/cli/b.ts"],
    ["harness/peer/a.ts", "harness/driver/b.ts"],
    ["harness/peer/a.ts", "harness/coordinator/b.ts"],
    ["harness/driver/a.ts", "harness/coordinator/b.ts"],
    ["harness/driver/a.ts", "harness/cli/b.ts"],
    ["harness/inspect/a.ts", "harness/coordinator/b.ts"],
    ["harness/coordinator/a.ts", "harness/driver/b.ts"],
    ["harness/coordinator/a.ts", "harness/cli/b.ts"],
    ["harness/cli/a.ts", "ci/windows/b.ts"],
    ["harness/index.ts", "reports/b.ts"],
    ["reports/a.ts", "harness/cli/b.ts"],
    ["ci/gate/a.ts", "harness/cli/b.ts"],
    ["ci/copy-assets.ts", "vitest"],
  ])("objects to %s importing %s", (path, name) => {
    expect(wrongDirections(new Map([[path, [name]]]), rulesFor(MECHANISMS))).toEqual([`${path} imports ${name}`]);
  });

  it("has no circle of files, types included", () => {
    expect(circles(allImports)).toEqual([]);
    const looped = new Map([
      ["a.ts", ["b.ts"]],
      ["b.ts", ["c.ts", "d.ts"]],
      ["c.ts", ["a.ts"]],
      ["d.ts", ["node:fs"]],
      ["e.ts", ["e.ts"]],
    ]);
    expect(circles(looped)).toEqual([["a.ts", "b.ts", "c.ts"], ["e.ts"]]);
  });

  it("imports each library in one place", () => {
    expect(strayLibraries(shipped)).toEqual([]);
    expect(strayLibraries(new Map([["harness/cli/a.ts", ["koffi", "commander"]]]))).toEqual([
      "harness/cli/a.ts imports koffi",
    ]);
  });

  it(`has no file of more than ${LONGEST_FILE} lines`, () => {
    const long = files.filter((path) => readFileSync(join(ROOT, path), "utf8").split("\n").length > LONGEST_FILE);
    expect(long).toEqual([]);
  });

  it("has no top-level folder that was not asked for", () => {
    const folders = readdirSync(ROOT, { withFileTypes: true })
      .filter(
        (entry) =>
          entry.isDirectory() &&
          !entry.name.startsWith(".") &&
          !["node_modules", "dist", "ipcmark-out", "coverage"].includes(entry.name),
      )
      .map(({ name }) => name);
    expect(folders.sort()).toEqual([...FOLDERS].sort());
  });
});

describe("the records of transports", () => {
  const LOADED = new RegExp(
    [
      String.raw`^(?:import|export)\s+(?!type\b)[^;]*?from\s+"([^"\n]+)"`,
      String.raw`(?<!typeof )import\(\s*"([^"\n]+)"`,
      String.raw`createRequire\([^)]*\)\("([^"\n]+)"\)`,
    ].join("|"),
    "gm",
  );

  /** Returns packages behind a file. Its own files behind `require` belong to a second face, so they are left out. */
  function packagesBehind(path: string, seen: Set<string> = new Set()): string[] {
    const names = [...read(path).matchAll(LOADED)].map(
      ([, ...found]) => found.find((name) => name !== undefined) ?? "",
    );
    for (const name of names) {
      const below = posix.join(dirname(path), name);
      const target = name.startsWith(".") ? below : (/^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? "");
      if (seen.has(target) || name.startsWith("node:")) continue;
      seen.add(target);
      if (name.startsWith(".")) packagesBehind(below, seen);
    }
    return [...seen].filter((name) => !name.endsWith(".ts"));
  }

  it("state the packages, the native code and the broker that the module loads", async () => {
    const registry = read("transports/registry.ts");
    const lines = [...registry.matchAll(/"([\w/-]+)",\s*"[\w-]+",\s*async \(\) => \(await import\("\.\/([^"]+)"/g)];
    const modules = new Map(lines.map(([, id, path]) => [id, `transports/${path}`]));
    for (const { id, load } of REGISTRY) {
      const { packages, native, broker } = (await load()).capabilities;
      const found = packagesBehind(modules.get(id) as string);
      // ffi-rs is for those who cannot have koffi.
      const named = found.filter((name) => name !== "ffi-rs").sort();
      const isNative = ["koffi", "ffi-rs", "zeromq"].some((name) => found.includes(name));
      const own = broker === undefined ? [] : ["@redis/client"];
      expect({ id, packages, native }).toEqual({ id, packages: named, native: isNative });
      expect({ id, own }).toEqual({ id, own: found.filter((name) => name === "@redis/client") });
    }
  });

  it("have local-socket as what this platform has, under a name of its own", async () => {
    const of = (wanted: string): Promise<Transport> | undefined => REGISTRY.find(({ id }) => id === wanted)?.load();
    const [local, own] = [await of("local-socket"), await of(process.platform === "win32" ? "named-pipe" : "unix")];
    expect(local?.sameAs).toBe(own?.id);
    expect(local?.event).toBe(own?.event);
    expect(local?.capabilities).toEqual({ ...own?.capabilities, platforms: ["linux", "darwin", "win32"] });
    const address = await local?.allocate({ directory: "/d", prefix: "ipcmark-0123456789abcdef" });
    expect(address?.transport).toBe("local-socket");
  });
});

describe("the package", () => {
  interface Manifest {
    readonly files: readonly string[];
    readonly dependencies: Readonly<Record<string, string>>;
    readonly optionalDependencies: Readonly<Record<string, string>>;
  }
  const manifest = JSON.parse(read("package.json")) as Manifest;
  const scope = JSON.parse(read("tsconfig.build.json")) as BuildScope;
  const sources = compiledSources(allImports, scope);
  const installed = ["ipcmark", ...Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })];

  it("has no test tool, not even one that something shipped imports", () => {
    expect(sources).toContain("harness/cli/main.ts");
    expect([...sources, ...assetsIn(ROOT)].filter(isTestTool)).toEqual([]);
    const reaching = new Map([
      ["harness/a.ts", ["harness/testing/b.ts"]],
      ["harness/testing/b.ts", []],
      ["harness/testing/c.ts", []],
    ]);
    expect(compiledSources(reaching, scope)).toEqual(["harness/a.ts", "harness/testing/b.ts"]);
  });

  it("imports no library that is not installed with it", () => {
    expect(missingPackages(allImports, sources, installed)).toEqual([]);
    const wanting = new Map([["harness/a.ts", ["vitest", "node:fs", "commander", "harness/b.ts"]]]);
    expect(missingPackages(wanting, ["harness/a.ts"], installed)).toEqual(["harness/a.ts imports vitest"]);
  });

  it("has the Python half of every mechanism, and the C baseline", () => {
    const copied = new Set(assetsIn(ROOT));
    const wanted = files.filter((path) => /\.(py|c)$/.test(path) && !isTestTool(path));
    expect(wanted.filter((path) => !copied.has(path))).toEqual([]);
  });

  it("has no document with a link to something that is not in it", () => {
    const isShipped = (path: string): boolean => manifest.files.some((pattern) => matchesGlob(path, pattern));
    const documents = DOCUMENTS.filter(isShipped);
    expect(documents).toEqual(expect.arrayContaining(["README.md", "transports/README.md", "harness/METHODOLOGY.md"]));
    const others = paths.filter(isShipped);
    expect(deadLinks(new Map(documents.map((path) => [path, read(path)])), others)).toEqual([]);
    const linking = new Map([["harness/README.md", "[a](../README.md) [b](cli/a.ts) [c](#d)"]]);
    expect(deadLinks(new Map([...linking, ["README.md", ""]]))).toEqual(["harness/README.md -> cli/a.ts"]);
  });
});

describe("the documents", () => {
  it("list every exit code", () => {
    const table = read("README.md");
    for (const code of new Set(Object.values(EXIT)))
      expect(table, `exit code ${code}`).toMatch(new RegExp(`^\\|[^|]*\\b${code}\\b[^|]*\\|`, "m"));
  });

  it("list every error code with its meaning", () => {
    const table = read("transports/README.md");
    for (const [code, meaning] of Object.entries(IPC_ERROR_CODES))
      expect(table).toContain(`| \`${code}\` | ${meaning} |`);
  });

  it("list every warning with its meaning, and no other", () => {
    const table = /^## Warnings\n.*?(?=^## )/ms.exec(read("reports/README.md"))?.[0] ?? "";
    const rows = [...table.matchAll(/^\| `([\w-]+)` \| (.*) \|$/gm)].map(([, id, meaning]) => [id, meaning]);
    expect(Object.fromEntries(rows)).toEqual(WARNINGS);
  });

  it("list every transport with the facts of its record", async () => {
    const names = { linux: "Linux", darwin: "macOS", win32: "Windows" } as const;
    const table = read("transports/README.md");
    for (const { id, family, load } of REGISTRY) {
      const { capabilities } = await load();
      const { modes, boundaries, maxClients, peerLoss, platforms, broker } = capabilities;
      const rendezvous = capabilities.rendezvous + (broker === undefined ? "" : ", broker");
      const where = platforms.length === 3 ? "all" : platforms.map((platform) => names[platform]).join(", ");
      const cells = [`\`${id}\``, family, modes.join(", "), boundaries, rendezvous, maxClients, peerLoss, where];
      // Blocking faces need the POSIX wrapper, so elsewhere the third column is shorter.
      if (process.platform === "linux") expect(table).toContain(`| ${cells.join(" | ")} |`);
    }
  });

  it("name for every transport where it works", () => {
    const table = read("transports/README.md").split("## Where they work")[1] ?? "";
    const family = (id: string): string => `${id.split("/")[0]}/*`;
    const missing = REGISTRY.filter(({ id }) => !table.includes(`\`${id}\``) && !table.includes(`\`${family(id)}\``));
    expect(missing.map(({ id }) => id)).toEqual([]);
  });

  it("have no link to a file that is not there", () => {
    const broken = DOCUMENTS.flatMap((document) =>
      [...read(document).matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)]
        .filter(([, target = ""]) => !existsSync(join(ROOT, dirname(document), target)))
        .map(([, target]) => `${document} -> ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it("name no file of the project that is not there", () => {
    const named = /`((?:\.\.\/|[\w-]+\/)[\w./-]+\.(?:ts|mjs|py|c|h|md))`/g;
    const missing = DOCUMENTS.flatMap((document) =>
      [...read(document).matchAll(named)]
        .map(([, target = ""]) => target)
        .filter((target) => !/^Lib\//.test(target))
        .filter((target) => !existsSync(join(ROOT, dirname(document), target)) && !existsSync(join(ROOT, target)))
        .map((target) => `${document} -> ${target}`),
    );
    expect(missing).toEqual([]);
  });

  it("name in the table of a room every file of the room, and no other", () => {
    const readmes = new Map(DOCUMENTS.filter((path) => path.includes("/")).map((path) => [path, read(path)]));
    expect(wrongTables(readmes, paths)).toEqual([]);
    const table = new Map([
      ["a/README.md", "# A\n\n| files | contents |\n|---|---|\n| `b.ts`, `c/`, `d.ts` | `e.ts` |\n"],
    ]);
    expect(wrongTables(table, ["a/b.ts", "a/c/f.ts", "a/e.ts", "a/b.test.ts", "a/README.md"])).toEqual([
      "a/README.md omits e.ts",
      "a/README.md names d.ts",
    ]);
  });

  it("name no path of the machine they were written on", () => {
    const telling = /\/(root|home\/[a-z]+|work)\/|\.\.\/shared\b/;
    const documents = [...files, "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "package.json", ".ci/run"];
    expect(documents.filter((path) => path !== "ci/tidy.test.ts" && telling.test(read(path)))).toEqual([]);
  });
});
