import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, it } from "vitest";
import { importDefault, withRemedy } from "./import-remedy.ts";

const folder = mkdtempSync(join(tmpdir(), "ipcmark-import-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
// As `npm init -y` of npm 11 makes it.
writeFileSync(join(folder, "package.json"), '{ "type": "commonjs" }');
mkdirSync(join(folder, "node_modules/raw"), { recursive: true });
writeFileSync(join(folder, "node_modules/raw/index.ts"), "export default 1 as number;");
writeFileSync(join(folder, "node_modules/raw/package.json"), '{ "type": "module", "exports": "./index.ts" }');

const CASES = [
  ["plain.ts", 'import "node:fs"; export default 1;', "rename it to plain.mts, or write"],
  ["exports.ts", "export default 1;", "rename it to exports.mts, or write"],
  ["enum.mts", "enum A { b } export default A;", "without enums, namespaces and parameter properties"],
  ["raw.mts", 'export { default } from "raw";', "compile that file to JavaScript"],
  ["type.mts", 'import { Stats } from "node:fs/promises"; export default Stats;', "write `import type { Stats }`"],
  ["absent.mts", 'import "@scope/absent/part"; export default 1;', "run npm install @scope/absent"],
  ["name.mts", 'import "./plain"; export default 1;', "names the whole file, such as ./name.ts"],
  ["thrown.mts", 'throw new Error("no database");', "no database"],
] as const;

it("a failed import has its remedy, by the messages of this Node", () => {
  for (const [name, code] of CASES) writeFileSync(join(folder, name), code);
  const names = JSON.stringify(CASES.map(([name]) => `./${name}`));
  // A process of its own: Vitest would compile the files.
  const code = `Promise.all(${names}.map((name) => import(name).catch(({ message }) => message)))
    .then((messages) => process.stdout.write(JSON.stringify(messages)))`;
  const found = execFileSync(process.execPath, ["--no-warnings", "-e", code], { cwd: folder, encoding: "utf8" });
  const messages = JSON.parse(found) as string[];
  const wanted = CASES.map(([, , remedy]) => expect.stringContaining(remedy));
  expect(messages.map((message, index) => withRemedy(message, CASES[index]?.[0] ?? ""))).toEqual(wanted);
});

it("a module's default export is returned, and other warnings than those on its kind are printed", async () => {
  const printed: string[] = [];
  const printer = ({ message }: Error): void => void printed.push(message);
  const others = process.listeners("warning");
  process.removeAllListeners("warning").on("warning", printer);
  const path = join(folder, "warns.mjs");
  const warn = 'process.emitWarning("mine"); process.emitWarning("Failed to load the ES module");';
  writeFileSync(path, `${warn} export default 7;`);
  expect(await importDefault(pathToFileURL(path).href)).toBe(7);
  expect(process.listeners("warning")).toContain(printer);
  process.removeListener("warning", printer);
  for (const other of others) process.on("warning", other);
  expect(printed).toEqual(["mine"]);
});
