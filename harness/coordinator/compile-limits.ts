import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Place } from "../../transports/contract/transport.ts";

const execute = promisify(execFile);
const COMPILE_TIMEOUT_MS = 30_000;

/** Compiles `harness/limit` into the run's own directory: the path of the program, or why there is none. */
export async function compileLimits(place: Place): Promise<string | { readonly reason: string }> {
  if (process.platform !== "linux") return { reason: "the C program is written for Linux" };
  const source = ["../limit/ping-pong.c", "../../../harness/limit/ping-pong.c"]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
  if (source === undefined) return { reason: "the source of the C program is not part of this installation" };
  const program = join(place.directory, "limit");
  try {
    await execute("cc", ["-O2", "-o", program, source, "-pthread", "-lrt"], { timeout: COMPILE_TIMEOUT_MS });
    return program;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const why = missing
      ? "there is no C compiler (cc) here; install one to see what the machine allows"
      : "it does not compile here";
    return { reason: `no limits: ${why}` };
  }
}
