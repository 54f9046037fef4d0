import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { COMMANDS, everyFlag } from "../harness/cli/commands.ts";
import { withConfig } from "../harness/cli/config-file.ts";
import { loadReport } from "../harness/results/load-report.ts";
import { resultsIn } from "./check-results.ts";
import {
  blocksOf,
  commandsOf,
  commandsOfTemplate,
  flagsOf,
  indentedCommands,
  ipcmarkArguments,
  type NamedCommand,
} from "./docs-commands.ts";
import { flagRows, flagsDocument } from "./docs-flags.ts";
import { answerText } from "./for-documents.ts";

interface Manifest {
  readonly version: string;
  readonly overrides: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly license?: string }>>;
}

const ROOT = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const manifest = JSON.parse(read("package.json")) as Manifest;
const documents = execFileSync("git", ["ls-files", "*.md"], { cwd: ROOT, encoding: "utf8" })
  .split("\n")
  .filter((path) => path !== "" && path !== "CHANGELOG.md");
const blocks = documents.flatMap((path) => blocksOf(path, read(path)));

/** Parses arguments as the command line does, and runs nothing. @throws CommanderError, UsageError */
async function parse([name = "", ...args]: readonly string[]): Promise<void> {
  if (COMMANDS[name] === undefined) throw new Error(`there is no command ${name}`);
  const command = withConfig(await COMMANDS[name](), everyFlag);
  command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
  await command
    .action(() => {})
    .parseAsync(
      args.filter((word) => word !== "--help"),
      { from: "user" },
    );
}

/** Returns a sentence for each command that names no script, no command or no flag. */
async function wrongCommands(commands: readonly NamedCommand[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const { document, words, text: typed } of commands) {
    try {
      const args = ipcmarkArguments(words, manifest.scripts);
      if (args !== undefined) await parse(args);
    } catch (error) {
      wrong.push(`${document}: ${typed}: ${(error as Error).message}`);
    }
  }
  return wrong;
}

describe("the flags", () => {
  it("are in their document as the commands define them", async () => {
    await expect(await flagsDocument()).toMatchFileSnapshot("../harness/cli/FLAGS.md");
  });

  it("have one row for several commands, none if hidden, and no bar that ends a cell", () => {
    const one = new Command("one").option("--out <a|b>", "where", "x").addOption(new Option("--old").hideHelp());
    const two = new Command("two").option("--out <a|b>", "where", "x").option("--no-c", "without C");
    const three = new Command("three");
    expect(flagRows([one, two, three])).toEqual([
      "| `--no-c` | two | without C |",
      "| `--out <a\\|b>` | one, two | where (default: x) |",
    ]);
  });
});

describe("the commands of the documents", () => {
  it("name scripts, commands and flags that exist, with values that are accepted", async () => {
    expect(await wrongCommands(documents.flatMap((path) => commandsOf(path, read(path))))).toEqual([]);
  });

  it("are as right in the templates for CI", async () => {
    const templates = ["compare-matrix.yml", "github-actions.yml", "gitlab-ci.yml"].map(
      (name) => `ci/templates/${name}`,
    );
    const commands = templates.map((path) => commandsOfTemplate(path, read(path)));
    expect(commands.map((found) => found.flatMap(({ words }) => (words[0] === "npx" ? (words[2] ?? "") : [])))).toEqual(
      [["compare", "merge"], ["gate"], ["gate"]],
    );
    expect(await wrongCommands(commands.flat())).toEqual([]);
  });

  it("are named with flags that they have", async () => {
    const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
    const flags = new Map(commands.map((one) => [one.name(), one.options.map(({ long }) => long)]));
    const named = documents.flatMap((path) => flagsOf(read(path), [...flags.keys()]).map((one) => ({ path, ...one })));
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter(({ command, flag }) => !flags.get(command)?.includes(flag))).toEqual([]);
    expect(flagsOf("`gate --base-dir a --nothing` or `git log --all`", ["gate"])).toEqual([
      { command: "gate", flag: "--base-dir" },
      { command: "gate", flag: "--nothing" },
    ]);
  });

  it("are found in blocks and in text, and refused where they are wrong", async () => {
    const block = "```sh\nnpm ci && npm run chek  # a\nnpx ipcmark list --needs\n```";
    const inText = "Try `npm run -s compare -- --fast \\| jq` and `ipcmark check --transport <id> --slow <n>`.";
    const text = `${inText}\n\n${block}\n`;
    expect(commandsOf("a.md", text).map(({ text }) => text)).toEqual([
      "npm ci",
      "npm run chek",
      "npx ipcmark list --needs",
      "npm run -s compare -- --fast",
      "ipcmark check --transport <id> --slow <n>",
    ]);
    expect(await wrongCommands(commandsOf("a.md", text))).toEqual([
      "a.md: npm run chek: there is no script chek",
      expect.stringContaining("unknown option '--fast'"),
      expect.stringContaining("unknown option '--slow'"),
    ]);
  });
});

describe("the code of the documents", () => {
  it("is valid TypeScript", () => {
    const code = blocks.filter(({ language }) => language === "ts");
    expect(code.length).toBeGreaterThan(5);
    for (const { code: source, document } of code) expect(() => stripTypeScriptTypes(source), document).not.toThrow();
  });

  it("has configurations that the commands accept", async () => {
    const configurations = blocks.filter(({ code }) => code.includes("export default defineConfig("));
    expect(configurations.length).toBeGreaterThan(1);
    const folder = mkdtempSync(join(tmpdir(), "ipcmark-docs-"));
    try {
      for (const [index, { code }] of configurations.entries()) {
        const file = join(folder, `${index}.ts`);
        writeFileSync(
          file,
          code.replace('"ipcmark"', JSON.stringify(new URL("../harness/config.ts", import.meta.url))),
        );
        for (const name of ["compare", "check", "measure", "gate"]) await parse([name, "--config", file]);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("stands between fences where it is a command, since nothing examines an indented block", () => {
    const indented = documents.flatMap((path) => indentedCommands(read(path)).map((line) => `${path}: ${line}`));
    expect(indented).toEqual([]);
    const text = "Text\n\n    npm run list\n\n- an item\n    ipcmark list\n\n```sh\n    npx ipcmark list\n```\n";
    expect(indentedCommands(text)).toEqual(["npm run list", "ipcmark list"]);
  });

  it("names the language of every block for a shell or a program, so that it is examined", () => {
    expect([...new Set(blocks.map(({ language }) => language))].sort()).toEqual(["", "sh", "ts"]);
    const commands = blocks.filter(({ language, code }) => language === "" && /^(npm|npx|node|ipcmark) /m.test(code));
    expect(commands.map(({ document }) => document)).toEqual([]);
  });
});

describe("the README", () => {
  it("has the answer of the sample", () => {
    const sample = loadReport(join(ROOT, "reports/sample/compare.json"));
    expect(resultsIn(read("README.md"), "sample")).toBe(answerText(sample));
  });

  it("has at most 20 lines for each kind of reader", () => {
    const sections = read("README.md")
      .split(/^## /m)
      .filter((section) => section.startsWith("For "));
    expect(sections.map((section) => section.split(/[: ]/).slice(0, 3).join(" "))).toHaveLength(4);
    for (const section of sections)
      expect(section.trimEnd().split("\n").slice(1).length, section).toBeLessThanOrEqual(21);
  });
});

describe("the table of packages", () => {
  const { packages } = JSON.parse(read("package-lock.json")) as LockFile;
  const rows = (names: Readonly<Record<string, string>>, who: string): string[] =>
    Object.keys(names).map((name) => `\`${name}\` | ${who} | ${packages[`node_modules/${name}`]?.license}`);

  it("has each package of the manifest with its licence, a reason, and no other", () => {
    const found = [
      ...read("SECURITY.md").matchAll(/^\| (`\S+` \| (?:users|users, optional|clone) \| [^|]+) \| \w.+ \|$/gm),
    ];
    const { dependencies, optionalDependencies, devDependencies } = manifest;
    expect(found.map(([, row]) => row)).toEqual([
      ...rows(dependencies, "users"),
      ...rows(optionalDependencies, "users, optional"),
      ...rows(devDependencies, "clone"),
    ]);
  });
});

describe("the project's own workflow", () => {
  it("uses actions of GitHub only, pinned to a commit, and may only read", () => {
    const workflow = read(".github/workflows/tests.yml");
    const used = [...workflow.matchAll(/uses: (\S+)/g)].map(([, action = ""]) => action);
    expect(used.map((action) => action.replace(/@[0-9a-f]{40}$/, ""))).toEqual([
      "actions/checkout",
      "actions/setup-node",
      "actions/upload-artifact",
    ]);
    expect(workflow).toMatch(/^permissions:\n {2}contents: read\n/m);
    for (const system of ["ubuntu", "macos", "windows"]) expect(workflow).toMatch(new RegExp(`os:.*${system}-`));
  });
});

describe("versions held back", () => {
  const { dependencies, optionalDependencies, devDependencies, overrides } = manifest;
  const versions = { ...devDependencies, ...dependencies, ...optionalDependencies, ...overrides };
  const section = read("CONTRIBUTING.md").split("## Versions held back")[1]?.split("\n## ")[0] ?? "";
  const held = Object.fromEntries([...section.matchAll(/^\| `(\S+)` \| (\S+) \| \w.+ \|$/gm)].map(([, ...row]) => row));

  it("are those of the manifest, with all of its overrides", () => {
    expect(held).toEqual(Object.fromEntries(Object.keys(held).map((name) => [name, versions[name]])));
    expect(Object.keys(held)).toEqual(expect.arrayContaining(Object.keys(overrides)));
    expect(optionalDependencies).toMatchObject({ "cbor-extract": overrides["cbor-extract"] });
    expect(read("SECURITY.md")).toContain(`held at ${held["cbor-extract"]}:`);
  });

  it("are locked, like all packages, without the address of a registry", () => {
    expect(/"resolved": "http.*/.exec(read("package-lock.json"))?.[0]).toBeUndefined();
  });

  it("are proposed by Renovate only when asked for", () => {
    const { packageRules } = JSON.parse(read("renovate.json")) as {
      readonly packageRules: readonly { matchPackageNames?: readonly string[]; dependencyDashboardApproval?: true }[];
    };
    const rule = packageRules.find(({ dependencyDashboardApproval }) => dependencyDashboardApproval);
    expect(rule?.matchPackageNames).toEqual(Object.keys(held));
  });
});

describe("a release", () => {
  it("has its version in the name of the packed file and in the changelog, unless that is unreleased", () => {
    const packed = [...read("README.md").matchAll(/ipcmark-(\d+\.\d+\.\d+)\.tgz/g)].map(([, version]) => version);
    expect([...new Set(packed)]).toEqual([manifest.version]);
    const [, heading] = /^## (.+)$/m.exec(read("CHANGELOG.md")) ?? [];
    expect(heading?.replace(/ \(\d{4}-\d\d-\d\d\)$/, " (date)")).toBeOneOf([
      "Unreleased",
      `${manifest.version} (date)`,
    ]);
  });
});
