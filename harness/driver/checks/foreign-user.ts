import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { type ForeignOutcome, NotApplicable } from "../../../transports/contract/check.ts";
import type { Address } from "../../../transports/contract/transport.ts";
import type { ChildOptions } from "../../process/child.ts";
import { type DriverProcess, startDriver } from "../../process/driver-process.ts";
import type { DriverStart } from "../../process/messages.ts";
import { programDirectory } from "../../process/place.ts";
import { copyProgram, othersMayReach, type ProgramCopy, programIn } from "../../process/program-copy.ts";

const TIMEOUT_MS = 20_000;

export interface ForeignAttempt {
  readonly start: DriverStart;
  readonly address: Address;
  readonly onSpawn: (child: DriverProcess) => void;
}

/**
 * The same program twice, from a copy that everybody may read: as ourselves, which must be served, and as `nobody`. Since nothing
 * else differs, a refusal is the user's.
 *
 * @throws NotApplicable where this machine, or whom we run as, does not allow it
 */
export async function attemptAsNobody({ start, address, onSpawn }: ForeignAttempt): Promise<ForeignOutcome> {
  const nobody = findNobody();
  const program = sharedCopy(start);
  const children = await Promise.all([
    startAs(undefined, program, { start, address, onSpawn }),
    startAs(nobody, program, { start, address, onSpawn }),
  ]);
  const [own, foreign] = children;
  await ready(own, process.getuid?.() ?? -1);
  await ready(foreign, nobody.uid);
  const control = await attempt(own);
  if (!control.connected) throw new Error(`the same program was refused as our own user too: ${control.refusal}`);
  // A server with few places gives ours back when its client has left.
  await own.exited;
  return attempt(foreign);
}

function findNobody(): { readonly uid: number; readonly gid: number } {
  if (process.getuid?.() !== 0) {
    throw new NotApplicable("only root may run a process as another user: run this check as root to have it");
  }
  const ids = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync("/etc/passwd", "utf8"));
  if (ids === null) throw new NotApplicable("this machine has no user nobody");
  return { uid: Number(ids[1]), gid: Number(ids[2]) };
}

/** Made by the first check of a run that needs it, beside the run's own directory, which nobody else may enter. */
function sharedCopy({ place, transport }: DriverStart): ProgramCopy {
  const directory = programDirectory(place);
  if (!othersMayReach(directory)) {
    throw new NotApplicable(
      `the user nobody cannot reach the temporary directory of this run: set TMPDIR to one he can`,
    );
  }
  if (!existsSync(directory)) {
    // Several drivers may come to need it at once: each fills one of its own, and the first to finish is kept.
    const own = `${directory}.${process.pid}`;
    mkdirSync(own, { mode: 0o755 });
    copyProgram(own);
    try {
      renameSync(own, directory);
    } catch {
      rmSync(own, { recursive: true, force: true });
    }
  }
  const program = programIn(directory);
  try {
    if (transport.module !== null) program.locate(transport.module);
  } catch (error) {
    throw new NotApplicable((error as Error).message);
  }
  return program;
}

async function startAs(
  user: ChildOptions["user"],
  program: ProgramCopy,
  { start, address, onSpawn }: ForeignAttempt,
): Promise<DriverProcess> {
  const command = [program.runtime, "--disable-warning=ExperimentalWarning", program.driver];
  // Nothing of our own environment is his business.
  const env = { PATH: process.env["PATH"], TMPDIR: process.env["TMPDIR"] };
  const options = { env, cwd: "/", ...(user === undefined ? {} : { user }) };
  const child = await startDriver("foreign user's", command, options);
  onSpawn(child);
  const { id, module } = start.transport;
  const transport = { id, module: module === null ? null : program.locate(module) };
  child.send({ ...start, transport, work: { kind: "user", address } });
  return child;
}

async function ready(child: DriverProcess, uid: number): Promise<void> {
  const answer = await child.next(["user-ready", "failed"], TIMEOUT_MS);
  if (answer.type === "failed") throw new Error(`the program does not run as user ${uid}: ${answer.message}`);
  if (answer.uid !== uid) throw new Error(`the process runs as user ${answer.uid} and not as ${uid}`);
  if (answer.hindrance !== null) throw new NotApplicable(answer.hindrance);
}

async function attempt(child: DriverProcess): Promise<ForeignOutcome> {
  child.send({ type: "begin" });
  const answer = await child.next(["user-attempt", "failed"], TIMEOUT_MS);
  if (answer.type === "failed") throw new Error(`the process that connects failed: ${answer.message}`);
  const { connected, refusal } = answer;
  return { connected, ...(refusal === undefined ? {} : { refusal }) };
}
