import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { type ForeignOutcome, NotApplicable } from "../../../scenarios/check.ts";
import type { Address } from "../../../transports/contract/transport.ts";
import { type DriverProcess, startDriver } from "../../process/driver-process.ts";
import type { DriverStart, UserIds } from "../../process/messages.ts";

const TIMEOUT_MS = 20_000;
const OTHERS_ENTER = 0o001;
/** Variables that the process needs. Others are not passed on, since the other user could read them. */
const PASSED_ON = /^(?:PATH|TMPDIR|NODE_\w+|IPCMARK_\w+)$/;

export interface ForeignAttempt {
  readonly start: DriverStart;
  readonly address: Address;
  /** Address of the same transport without a server. */
  readonly unserved: Address;
  readonly onSpawn: (child: DriverProcess) => void;
}

/**
 * Runs the same program twice: as our own user, which must be served, and as `nobody`. Nothing else differs, so the
 * user is the reason of a refusal.
 *
 * @throws NotApplicable if this machine, or the user that runs this, does not allow it
 */
export async function attemptAsNobody(what: ForeignAttempt): Promise<ForeignOutcome> {
  const nobody = findNobody();
  if (!othersMayReach(what.start.place.directory)) {
    throw new NotApplicable(
      "the user nobody cannot reach the temporary directory of this run; set TMPDIR to one open to all users",
    );
  }
  const [own, foreign] = await Promise.all([startAs(null, what), startAs(nobody, what)]);
  await ready(own, process.getuid?.() ?? -1);
  await ready(foreign, nobody.uid);
  const ourselves = await attempt(own);
  if (!ourselves.connected) throw new Error(`the same program was refused as our own user too: ${ourselves.refusal}`);
  // Waits, since a server with few places frees ours only when its client has left.
  await own.exited;
  return attempt(foreign);
}

function findNobody(): UserIds {
  if (process.getuid?.() !== 0) {
    throw new NotApplicable("only root may run a process as another user: run this check as root to have it");
  }
  const ids = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync("/etc/passwd", "utf8"));
  if (ids === null) throw new NotApplicable("this machine has no user nobody");
  return { uid: Number(ids[1]), gid: Number(ids[2]) };
}

/** True if every user can pass all directories above this path; otherwise they would be the reason of a refusal. */
function othersMayReach(path: string): boolean {
  for (let at = dirname(path); ; at = dirname(at)) {
    if ((statSync(at).mode & OTHERS_ENTER) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

async function startAs(user: UserIds | null, what: ForeignAttempt): Promise<DriverProcess> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED_ON.test(name)));
  const child = await startDriver("foreign user's", undefined, { env });
  what.onSpawn(child);
  const { address, unserved } = what;
  child.send({ ...what.start, work: { kind: "user", address, unserved, user } });
  return child;
}

async function ready(child: DriverProcess, uid: number): Promise<void> {
  const answer = await child.next(["user-ready", "failed"], TIMEOUT_MS);
  if (answer.type === "failed") throw new Error(`the program does not run as user ${uid}: ${answer.message}`);
  if (answer.obstacle !== null) throw new NotApplicable(answer.obstacle);
  if (answer.uid !== uid) throw new Error(`the process runs as user ${answer.uid} and not as ${uid}`);
}

async function attempt(child: DriverProcess): Promise<ForeignOutcome> {
  child.send({ type: "begin" });
  const answer = await child.next(["user-attempt", "failed"], TIMEOUT_MS);
  if (answer.type === "failed") throw new Error(`the process that connects failed: ${answer.message}`);
  const { connected, refusal } = answer;
  return { connected, ...(refusal === undefined ? {} : { refusal }) };
}
