import type { Address, Transport } from "../../transports/contract/transport.ts";
import type { FromDriver, UserAttempt, UserIds } from "../process/messages.ts";
import { connectRpc } from "../rpc/connect.ts";
import { withEventFace } from "./checks/event-face.ts";

const REQUEST_TIMEOUT_MS = 1000;
const WARM_UP_MS = 500;

/**
 * Tries once, as another user, to be served by our server. The process first loads and uses everything, and only then
 * becomes that user, who may be unable to read our files. So if the attempt fails, the connection was refused.
 */
export async function connectAsUser(
  plain: Transport,
  { address, unserved, user }: UserAttempt,
  send: (message: FromDriver) => void,
  mayBegin: () => Promise<unknown>,
): Promise<void> {
  const transport = await withEventFace(plain);
  const probed = await plain.probe();
  if (probed.available) await warmUp(transport, unserved);
  const obstacle = probed.available ? user && becomeUser(user) : `the mechanism does not work: ${probed.reason}`;
  send({ type: "user-ready", uid: process.getuid?.() ?? -1, obstacle });
  await mayBegin();
  try {
    await serveOnce(transport, address, REQUEST_TIMEOUT_MS);
    send({ type: "user-attempt", connected: true });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? `${error.code}: ` : "";
    const refusal = `${code}${error instanceof Error ? error.message : String(error)}`;
    send({ type: "user-attempt", connected: false, refusal });
  }
}

/** Makes an attempt at an address without a server, so that all code is loaded afterwards. */
async function warmUp(transport: Transport, unserved: Address): Promise<void> {
  await serveOnce(transport, unserved, WARM_UP_MS, AbortSignal.timeout(WARM_UP_MS)).catch(() => undefined);
}

/** Connects; also sends a request if connecting proves nothing. @throws IpcError if refused or not answered */
async function serveOnce(
  transport: Transport,
  address: Address,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const client = await connectRpc(transport, address, signal && { signal });
  try {
    if (transport.capabilities.connects === "lazy") await client.request(new Uint8Array(16), { timeoutMs });
  } finally {
    await client.connection.close(timeoutMs).catch(() => undefined);
  }
}

/**
 * Gives up root for good, in all threads of the process.
 *
 * @returns reason why this machine does not allow it; null if the process is that user now
 * @throws Error if the process still has the old ids, or can get them back
 */
function becomeUser({ uid, gid }: UserIds): string | null {
  const { setgroups, setgid, setuid, getgroups } = process;
  if (setgroups === undefined || setgid === undefined || setuid === undefined) return "this system has no user ids";
  try {
    setgroups([]);
    setgid(gid);
    setuid(uid);
  } catch (error) {
    // In a user namespace, this user may not exist.
    return `this process cannot become user ${uid} here: ${(error as Error).message}`;
  }
  const users = [process.getuid?.(), process.geteuid?.()];
  const groups = [process.getgid?.(), process.getegid?.(), ...(getgroups?.() ?? [])];
  const isOther = users.every((id) => id === uid) && groups.every((id) => id === gid);
  if (!isOther || succeeds(() => setuid(0)) || succeeds(() => setgid(0))) {
    throw new Error(`the process did not become user ${uid} for good`);
  }
  return null;
}

function succeeds(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
