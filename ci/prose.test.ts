import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { COLUMNS, type Finding, findingsIn, findingsInDocument } from "./prose-rules.ts";

const ROOT = join(import.meta.dirname, "..");
/** The frozen echo: a test compares its hash, so its bytes must not change. */
const FROZEN = "harness/control/echo.mjs";

/** Returns what a rule finds in files of these kinds, each with its place. */
function found(kinds: readonly string[], rule: (text: string) => readonly Finding[]): string[] {
  const files = execFileSync("git", ["ls-files", ...kinds], { cwd: ROOT, encoding: "utf8" });
  return files
    .split("\n")
    .filter((path) => path !== "" && path !== FROZEN && !path.startsWith("ci/prose") && !path.includes("/sample/"))
    .flatMap((path) =>
      rule(readFileSync(join(ROOT, path), "utf8")).map(({ line, rule, text }) => `${path}:${line} [${rule}] ${text}`),
    );
}

describe("the prose of source files", () => {
  it("has lines that fit, comments that begin with a verb or a noun, and code that does nothing people do", () => {
    expect(found(["*.ts", "*.js", "*.mjs", "*.py", "*.c", "*.h"], findingsIn)).toEqual([]);
  });

  it.each([
    ["columns", `const text = "${"x".repeat(120)}";`],
    ["opening", "/** Of the message `next` found. */"],
    ["opening", "/**\n * Whether it is there.\n */"],
    ["person", "  // The server says that it is ready."],
    ["person", "# the client hears of it later"],
    ["name", "const brood = new Brood();"],
  ] as const)("objects to a line that breaks the rule of %s: %s", (rule, source) => {
    expect(findingsIn(source).map((finding) => finding.rule)).toEqual([rule]);
  });

  it("lets good prose pass", () => {
    const good = [
      "/** Largest message, bytes. */",
      "/** Returns what is left. */",
      " * The interval tells the two apart.",
      "const of = 1;",
    ];
    expect(findingsIn(good.join("\n"))).toEqual([]);
  });
});

describe("the prose of documents", () => {
  it("has lines that fit, and code that does nothing people do", () => {
    expect(found(["*.md"], findingsInDocument)).toEqual([]);
  });

  it("may have wide tables, code and generated sections, and no other line that breaks a rule", () => {
    const wide = "x".repeat(COLUMNS + 1);
    const lines = [`| ${wide} |`, "```", wide, "```", "<!-- results: begin -->", wide, "<!-- results: end -->", wide];
    const findings = findingsInDocument(
      [...lines, "The server says `so`.", "| `says` | it tells the two apart |"].join("\n"),
    );
    expect(findings.map(({ line, rule }) => [line, rule])).toEqual([
      [lines.length, "columns"],
      [lines.length + 1, "person"],
    ]);
  });
});
