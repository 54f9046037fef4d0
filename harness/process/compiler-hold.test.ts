import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const MODULE = fileURLToPath(new URL("compiler-hold.ts", import.meta.url));
/** Prints whether TurboFan has compiled a hot function: during a hold, and after its end. A sample has that state. */
const PROGRAM = `
  const { holdCompiler } = await import(${JSON.stringify(MODULE)});
  const sample = (sum, each) => (sum * 31 + each) % 65_537;
  const hot = (sum, each) => (sum * 31 + each) % 65_521;
  %PrepareFunctionForOptimization(sample);
  sample(1, 2);
  %OptimizeFunctionOnNextCall(sample);
  sample(1, 2);
  const call = new Function("called", "let sum = 0; for (let n = 0; n < 20000; n++) sum = called(sum, n)");
  %NeverOptimizeFunction(call);
  const isCompiled = () => {
    for (let round = 0; round < 5; round++) call(hot);
    return %GetOptimizationStatus(hot) === %GetOptimizationStatus(sample);
  };
  holdCompiler(true);
  const held = isCompiled();
  holdCompiler(false);
  console.log(JSON.stringify([held, isCompiled()]));
`;

/** Runs the program in a Node of its own: a hold counts for a whole process. */
async function compiled(env: NodeJS.ProcessEnv): Promise<unknown> {
  const args = ["--allow-natives-syntax", "--no-concurrent-recompilation", "--input-type=module", "-e", PROGRAM];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, ...env } });
  return JSON.parse(stdout);
}

it("keeps TurboFan from compiling a hot function until the hold ends", async () => {
  expect(await compiled({ IPCMARK_V8: "" })).toEqual([false, true]);
});

it("changes nothing where V8 runs as it is", async () => {
  expect(await compiled({ IPCMARK_V8: "default" })).toEqual([true, true]);
});
