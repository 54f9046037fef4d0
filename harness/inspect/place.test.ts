import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ownTemporaryDirectory } from "../testing/temporary-directory.ts";

const directory = ownTemporaryDirectory();
const PLACE = new URL("./place.ts", import.meta.url).href;

const CASES = [
  ["typed.mts", '\nconst a: string = "open;', " (typed.mts:2)"],
  ["plain.mjs", '\nconst a = "open;', "; run node plain.mjs to see where"],
  ["thrown.mts", "const a: any = {};\n\nconst f = () => a.b.c;\nf();", " (thrown.mts:3)"],
  ["imports.mts", 'import "./typed.mts";', " (typed.mts:2)"],
  ["library.mts", 'import "node:nothing";', ""],
] as const;

it("a failed import is shown with the place in the user's code, by the stacks of this Node", () => {
  const folder = directory();
  for (const [name, code] of CASES) writeFileSync(join(folder, name), code);
  const names = JSON.stringify(CASES.map(([name]) => name));
  // A process of its own: Vitest would compile the files.
  const code = `import { placeOf } from "${PLACE}"; import { resolve } from "node:path"; const found = [];
    for (const path of ${names}.map((name) => resolve(name)))
      await import(path).catch((error) => found.push(placeOf(error, path)));
    process.stdout.write(JSON.stringify(found))`;
  const args = ["--no-warnings", "--input-type=module", "-e", code];
  const found = JSON.parse(execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" }));
  expect(found).toEqual(CASES.map(([, , place]) => place));
});
