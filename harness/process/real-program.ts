import { execFileSync, spawnSync } from "node:child_process";
import { basename } from "node:path";
import { asRoot } from "../../transports/contract/shortage.ts";
import { programFailure } from "../../transports/support/program-failure.ts";

const PROBE_MS = 5000;
const known = new Map<string, RealProgram>();

/** Program that a name on PATH leads to, or the reason why none can be run. */
export type RealProgram = { readonly path: string } | { readonly reason: string };

/**
 * Finds the program that a name on PATH leads to, once per name. A `python3` on PATH may be a script of a version
 * manager, which searches for the real program at each start and takes longer than Python itself.
 */
export function realProgram(name: string): RealProgram {
  const found = known.get(name) ?? ask(name);
  known.set(name, found);
  return found;
}

/** Interpreters that may have a module that the one on PATH lacks: those of the system and of package managers. */
const OTHER_PYTHONS = ["/usr/bin/python3", "/usr/local/bin/python3", "/opt/homebrew/bin/python3"];
/** Packages of the system, and of pip, that have a module. */
const PACKAGES: Readonly<Record<string, readonly [system: string, pip: string]>> = {
  grpc: ["python3-grpcio", "grpcio"],
  zmq: ["python3-zmq", "pyzmq"],
};

/** Finds a Python that has a module, once per module: the one of that name, or another of this machine. */
export function pythonWith(name: string, module: string): RealProgram {
  const key = `${name} ${module}`;
  const found = known.get(key) ?? askForModule(name, module);
  known.set(key, found);
  return found;
}

function askForModule(name: string, module: string): RealProgram {
  const first = realProgram(name);
  if ("reason" in first) return first;
  const path = [first.path, ...OTHER_PYTHONS].find((each) => hasModule(each, module));
  if (path !== undefined) return { path };
  const [system, pip] = PACKAGES[module] ?? [module, module];
  const remedy = `${asRoot(`apt-get install ${system}`)}, or ${name} -m pip install ${pip}`;
  return { reason: `no Python of this machine has the module ${module}; run: ${remedy}` };
}

/** Looks for the module without loading it, which takes a third of a second for grpcio. */
function hasModule(python: string, module: string): boolean {
  const program = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)";
  return spawnSync(python, ["-c", program, module], { stdio: "ignore", timeout: PROBE_MS }).status === 0;
}

function ask(name: string): RealProgram {
  const isPython = /^python[\d.]*(\.exe)?$/.test(basename(name));
  try {
    const said = execFileSync(name, isPython ? ["-c", "import sys; print(sys.executable)"] : ["--version"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      timeout: PROBE_MS,
    });
    return { path: (isPython && said.trim()) || name };
  } catch (error) {
    return { reason: programFailure(name, error, PROBE_MS) };
  }
}
