import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findingsIn } from "./prose-rules.ts";

const ROOT = join(import.meta.dirname, "..");
/** Its bytes are the control of all measurements: a test keeps their hash. */
const FROZEN = "harness/control/echo.mjs";

describe("the prose of source files", () => {
  it("has lines that fit, comments that begin with a verb or a noun, and code that does nothing people do", () => {
    const files = execFileSync("git", ["ls-files", "*.ts", "*.js", "*.mjs", "*.py", "*.c", "*.h"], {
      cwd: ROOT,
      encoding: "utf8",
    });
    const found = files
      .split("\n")
      .filter((path) => path !== "" && path !== FROZEN && !path.startsWith("ci/prose"))
      .flatMap((path) =>
        findingsIn(readFileSync(join(ROOT, path), "utf8")).map(
          ({ line, rule, text }) => `${path}:${line} [${rule}] ${text}`,
        ),
      );
    expect(found).toEqual([]);
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
