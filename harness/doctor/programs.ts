import { execFileSync } from "node:child_process";
import { installRemedy, programFailure } from "../../transports/support/program-failure.ts";
import type { Finding, Probe } from "./finding.ts";

const PROBE_MS = 5000;

interface Program {
  readonly name: string;
  readonly args: readonly string[];
  readonly without: string;
}

const PROGRAMS: readonly Program[] = [
  {
    name: "taskset",
    args: ["--version"],
    without: "processes are not pinned: only the unpinned placement can be measured",
  },
  {
    name: "python3",
    args: ["--version"],
    without: "no Python peer: checks and measurements against it are unavailable",
  },
  {
    name: "cc",
    args: ["--version"],
    without: "round trips are not compared with plain C (× C in reports)",
  },
  {
    name: "git",
    args: ["--version"],
    without: "the gate cannot fetch the base revision it compares with",
  },
];

/** Probes the programs that some commands use: `taskset`, `python3`, `cc`, `git`. */
export const programs: Probe = () => PROGRAMS.map(look);

function look({ name, args, without }: Program): Finding {
  try {
    const said = execFileSync(name, args, { encoding: "utf8", timeout: PROBE_MS, stdio: ["ignore", "pipe", "pipe"] });
    return { topic: name, status: "ok", found: said.split("\n", 1)[0]?.trim() ?? "there" };
  } catch (error) {
    // No fix where the program is there: installing it again would not help.
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const found = missing ? `${name} not found` : programFailure(name, error, PROBE_MS);
    return { topic: name, status: "note", found, meaning: without, ...(missing ? { fix: installRemedy(name) } : {}) };
  }
}
