/** Rules of the project's order, as data and pure functions; `tidy.test.ts` applies them. */

/** Modules that each file imports: relative ones as paths below the root, packages by name. Types count too. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/** Rooms below `transports` that are no mechanism. */
export const SHARED_ROOMS = ["contract", "support", "posix", "windows", "testing"];

/** True for tests, and files that only they and benchmarks use, and for examples: not in the build. */
export const isTestTool = (path: string): boolean =>
  /\.test\.ts$|\.bench\.ts$|(^|\/)(testing|mutants|fixtures?|bench|example)\//.test(path) ||
  /^ci\/(docs|package|runtimes|tidy|windows)/.test(path);

type Rule = readonly [folder: string, allowed: readonly RegExp[]];

/**
 * Returns the allowed imports per folder, besides its own files and `node:`; the first rule that fits a file holds.
 *
 * @param mechanisms folders of mechanisms below `transports`
 */
export function rulesFor(mechanisms: readonly string[]): readonly Rule[] {
  const contract = /^transports\/contract\//;
  const below = /^transports\/(contract|support|posix|windows)\//;
  const packages = /^(?!(transports|scenarios|harness|reports|ci)\/)[@a-z]/;
  return [
    ["transports/contract/", []],
    ["transports/support/", [/^transports\/(contract|posix)\//]],
    ["transports/posix/", [contract, /^(koffi|ffi-rs)$/]],
    ["transports/windows/", [contract, /^transports\/posix\/(errno|mapping)\.ts$/, /^koffi$/]],
    ...mechanisms.map((name): Rule => [`transports/${name}/`, [below, packages]]),
    ["transports/", [/^transports\//]],
    ["scenarios/", [contract]],
    ["harness/results/", [contract, /^transports\/posix\//, /^scenarios\/\w+\.ts$/, /^harness\/process\//, packages]],
    ["harness/process/", [/^transports\//, /^scenarios\/\w+\.ts$/, /^harness\/results\//]],
    ["harness/decision/", [contract, /^scenarios\//, /^harness\/(results|pick)\//]],
    ["harness/pick/", [contract, /^scenarios\//, /^harness\/results\//]],
    ["harness/rpc/", [contract, /^transports\/support\//, /^scenarios\/\w+\.ts$/, packages]],
    ["harness/c-baseline/", [below, /^harness\/(process|results)\//]],
    ["harness/archive/", [/^harness\/(decision|results)\//, packages]],
    ["harness/bundle/", [/^harness\/(process|results)\//, packages]],
    ["harness/doctor/", [below, /^harness\/(bundle|process|results)\//]],
    ["harness/record/", [/^harness\/rpc\//, /^transports\/support\//]],
    ["harness/peer/", [below, /^scenarios\//, /^harness\/(process|rpc)\//]],
    ["harness/driver/", [below, /^scenarios\//, /^harness\/(peer|process|results|rpc)\//]],
    ["harness/inspect/", [/^transports\//, /^harness\/process\//]],
    ["harness/coordinator/", [below, /^scenarios\//, /^harness\/(bundle|c-baseline|process|results|rpc)\//]],
    ["harness/cli/", [/^(transports|scenarios|harness|reports|ci\/gate)\//, packages]],
    ["harness/bench/gate", [/^harness\//, /^ci\/gate\//]],
    ["harness/", [/^(transports|harness|scenarios)\//]],
    ["reports/", [contract, /^harness\/(results|pick|decision)\//, packages]],
    ["ci/gate/", [below, /^harness\/(bundle|c-baseline|coordinator|process|results|pick)\//, /^reports\//]],
    ["ci/", [/^(transports|harness|scenarios|reports)\//]],
  ];
}

/** Returns each import in a direction that no rule allows, as a sentence. */
export function wrongDirections(imports: Imports, rules: readonly Rule[]): string[] {
  return [...imports].flatMap(([path, names]) => {
    const rule = rules.find(([folder]) => path.startsWith(folder));
    if (rule === undefined) return [];
    const [folder, allowed] = rule;
    return names
      .filter((name) => !name.startsWith("node:") && !name.startsWith(folder) && !allowed.some((one) => one.test(name)))
      .map((name) => `${path} imports ${name}`);
  });
}

/**
 * Returns, as sentences, files that the table `files` of their folder's README omits, and names in it without a file.
 *
 * @param readmes texts of READMEs by path; those without such a table are left out
 * @param paths all files of the project
 */
export function wrongTables(readmes: ReadonlyMap<string, string>, paths: readonly string[]): string[] {
  return [...readmes].flatMap(([readme, text]) => {
    const table = text.split("\n| files |")[1]?.split("\n\n")[0];
    if (table === undefined) return [];
    const folder = readme.slice(0, readme.lastIndexOf("/") + 1);
    const below = paths.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length));
    const own = below.filter((name) => !/[/]|\.test\.|\.md$|\.json$/.test(name));
    const rows = table.split("\n").map((row) => row.split(" | ")[0] ?? "");
    const named = rows.flatMap((cell) => [...cell.matchAll(/`([\w./-]+)`/g)].map(([, name = ""]) => name));
    const isThere = (name: string): boolean => below.some((path) => path === name || path.startsWith(`${name}/`));
    return [
      ...own.filter((name) => !named.includes(name)).map((name) => `${readme} omits ${name}`),
      ...named.filter((name) => !isThere(name.replace(/\/$/, ""))).map((name) => `${readme} names ${name}`),
    ];
  });
}

/** Home of each library. */
const HOMES: Readonly<Record<string, RegExp>> = {
  koffi: /^transports\/(posix|windows)\//,
  "ffi-rs": /^transports\/posix\//,
  zeromq: /^transports\/zeromq\//,
  tar: /^harness\/archive\//,
  commander: /^harness\/cli\//,
  "chart.js": /^reports\//,
  tinybench: /^harness\/rpc\/codecs\//,
  "@grpc/grpc-js": /^transports\/grpc\//,
  "@redis/client": /^transports\/redis\//,
  esbuild: /^harness\/bundle\//,
};

/** Returns each import of a library outside its home, as a sentence. */
export function strayLibraries(imports: Imports): string[] {
  return [...imports].flatMap(([path, names]) =>
    names.filter((name) => HOMES[name]?.test(path) === false).map((name) => `${path} imports ${name}`),
  );
}

/** Returns each group of files that import each other in a circle (strongly connected components, Tarjan 1972). */
export function circles(imports: Imports): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (path: string): void => {
    index.set(path, index.size);
    low.set(path, index.get(path) as number);
    open.push(path);
    for (const next of imports.get(path) ?? []) {
      if (!imports.has(next)) continue;
      if (!index.has(next)) visit(next);
      if (open.includes(next)) low.set(path, Math.min(low.get(path) as number, low.get(next) as number));
    }
    if (low.get(path) !== index.get(path)) return;
    const group = open.splice(open.indexOf(path));
    if (group.length > 1 || imports.get(path)?.includes(path)) found.push(group.sort());
  };
  for (const path of imports.keys()) if (!index.has(path)) visit(path);
  return found;
}
