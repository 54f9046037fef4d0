import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Place } from "../../transports/contract/transport.ts";
import { programFailure } from "../../transports/support/program-failure.ts";
import { killGroup } from "../process/orphans.ts";
import type { NoCBaseline } from "../results/model.ts";

const COMPILE_TIMEOUT_MS = 30_000;

/** Compiles `harness/c-baseline` in the run's own directory. Returns the program's path, or why there is none. */
export async function compileCBaseline(place: Place): Promise<string | NoCBaseline> {
  if (process.platform !== "linux") return { status: "not-applicable", reason: "the C program is written for Linux" };
  const source = ["./ping-pong.c", "../../../harness/c-baseline/ping-pong.c"]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
  if (source === undefined) return unavailable("the source of the C program is not part of this installation");
  const program = join(place.directory, "c-baseline");
  try {
    const why = await compile(["-O2", "-o", program, source, "-pthread", "-lrt"], place);
    return why === undefined ? program : unavailable(why);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const why = missing
      ? "there is no C compiler (cc) here; install one to measure what the machine allows"
      : programFailure("cc", error, COMPILE_TIMEOUT_MS);
    return unavailable(why);
  }
}

function unavailable(reason: string): NoCBaseline {
  return { status: "unavailable", reason };
}

/**
 * Returns why it did not compile; undefined when it did. The compiler's child processes end with this process, and its
 * files lie in the run's directory.
 */
async function compile(args: readonly string[], { directory }: Place): Promise<string | undefined> {
  const env = { ...process.env, TMPDIR: directory };
  const compiler = spawn("cc", args, { stdio: "ignore", env, detached: true });
  const end = (): void => {
    if (compiler.pid !== undefined && compiler.kill("SIGKILL")) killGroup(compiler.pid);
  };
  process.once("exit", end);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    end();
  }, COMPILE_TIMEOUT_MS);
  try {
    const [code] = await once(compiler, "exit");
    if (code === 0) return undefined;
    return late ? programFailure("cc", { code: "ETIMEDOUT" }, COMPILE_TIMEOUT_MS) : "it does not compile here";
  } finally {
    clearTimeout(timer);
    process.off("exit", end);
  }
}
