import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { EXIT } from "../harness/cli/exit-codes.ts";
import { IPC_ERROR_CODES } from "../transports/contract/errors.ts";
import { REGISTRY } from "../transports/registry.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDERS = ["transports", "scenarios", "harness", "reports", "ci"] as const;
const LONGEST_FILE = 400;

const files = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((path) => join(folder, path)),
)
  .filter((path) => /\.(ts|js|py|c)$/.test(path) && !path.includes("node_modules"))
  .filter((path) => statSync(join(ROOT, path)).isFile())
  .map((path) => path.split(sep).join("/"));

/** Imported modules of a file: paths below the root for relative ones, names for packages. Types count: they are a direction too. */
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

/** Neither tests nor what only they, benchmarks or examples use. */
const shipped = files.filter(
  (path) =>
    path.endsWith(".ts") &&
    !/\/example\/|\/bench\/|testing|faulty|broken|false-claims|tapped|fixture/.test(path) &&
    !/from "vitest"/.test(readFileSync(join(ROOT, path), "utf8")),
);
const SHARED = ["contract", "support", "posix", "conformance"];
const MECHANISMS = readdirSync(join(ROOT, "transports"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !SHARED.includes(entry.name))
  .map((entry) => entry.name);

/** Who may import what, besides its own folder and `node:`; the first rule whose folder fits a file holds. */
const RULES: readonly (readonly [folder: string, allowed: readonly RegExp[]])[] = [
  ["transports/contract/", []],
  ["transports/support/", [/^transports\/(contract|posix)\//, /^ffi-rs$/]],
  ["transports/posix/", [/^transports\/contract\//, /^(koffi|ffi-rs)$/]],
  ["transports/conformance/", [/^transports\/contract\//]],
  ...MECHANISMS.map((name) => [`transports/${name}/`, [/^transports\/(contract|support|posix)\//, /^[@a-z]/]] as const),
  ["transports/", [/^transports\//]],
  ["scenarios/", [/^transports\/contract\//, /^harness\//]],
  ["harness/rpc/", [/^transports\/contract\//, /^[a-z]/]],
  ["harness/results/", [/^transports\/(contract|posix)\//, /^harness\/process\//, /^[a-z]/]],
  ["harness/pick/", [/^transports\/contract\//, /^harness\/results\//]],
  ["harness/process/", [/^transports\//, /^harness\/results\//]],
  ["harness/", [/^(transports|harness|scenarios|reports|ci)\//, /^[@a-z]/]],
  ["reports/", [/^transports\/contract\//, /^harness\/results\/(model|format|ranking|quantiles)\.ts$/, /^[@a-z]/]],
  ["ci/", [/^(transports|harness|scenarios|reports)\//]],
];

/** Each library has one home. */
const HOMES: Readonly<Record<string, RegExp>> = {
  koffi: /^transports\/posix\//,
  "ffi-rs": /^transports\/posix\//,
  zeromq: /^transports\/zeromq\//,
  commander: /^harness\/cli\//,
  "chart.js": /^reports\//,
  tinybench: /^harness\/rpc\/codecs\//,
  "@grpc/grpc-js": /^transports\/grpc\//,
  esbuild: /^harness\/bundle\//,
};

describe("the order of the project", () => {
  it("has every import go in a direction that the design allows", () => {
    const wrong: string[] = [];
    for (const path of shipped) {
      const rule = RULES.find(([folder]) => path.startsWith(folder));
      for (const name of importsOf(path)) {
        if (rule === undefined || name.startsWith("node:") || name.startsWith(rule[0])) continue;
        if (!rule[1].some((allowed) => allowed.test(name))) wrong.push(`${path} imports ${name}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("imports each library in one place", () => {
    const wrong = shipped.flatMap((path) =>
      importsOf(path)
        .filter((name) => HOMES[name] !== undefined && !HOMES[name].test(path))
        .map((name) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
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

describe("the documents", () => {
  const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

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

  it("list every transport with what its record says", async () => {
    const names = { linux: "Linux", darwin: "macOS", win32: "Windows" } as const;
    const table = read("transports/README.md");
    for (const { id, family, load } of REGISTRY) {
      const { modes, boundaries, rendezvous, maxClients, peerLoss, platforms } = (await load()).capabilities;
      const where = platforms.length === 3 ? "all" : platforms.map((platform) => names[platform]).join(", ");
      const cells = [`\`${id}\``, family, modes.join(", "), boundaries, rendezvous, maxClients, peerLoss, where];
      // Blocking faces need the POSIX wrapper, so elsewhere the third column is shorter.
      if (process.platform === "linux") expect(table).toContain(`| ${cells.join(" | ")} |`);
    }
  });

  it("say of every transport where it works", () => {
    const table = read("transports/README.md").split("## Where they work")[1] ?? "";
    const family = (id: string): string => `${id.split("/")[0]}/*`;
    const missing = REGISTRY.filter(({ id }) => !table.includes(`\`${id}\``) && !table.includes(`\`${family(id)}\``));
    expect(missing.map(({ id }) => id)).toEqual([]);
  });

  it("have no link to a file that is not there", () => {
    const documents = [
      ...readdirSync(ROOT),
      ...FOLDERS.flatMap((folder) =>
        readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((path) => join(folder, path)),
      ),
    ].filter((path) => path.endsWith(".md"));
    const broken = documents.flatMap((document) =>
      [...read(document).matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)]
        .filter(([, target = ""]) => !existsSync(join(ROOT, dirname(document), target)))
        .map(([, target]) => `${document} -> ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it("name no path of the machine they were written on", () => {
    const telling = /\/(root|home\/[a-z]+|work)\/|\.\.\/shared\b/;
    const documents = [...files, "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "package.json", ".ci/run"];
    expect(documents.filter((path) => path !== "ci/tidy.test.ts" && telling.test(read(path)))).toEqual([]);
  });
});
