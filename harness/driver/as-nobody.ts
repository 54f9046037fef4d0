import { accessSync, constants, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Transport } from "../../transports/contract/transport.ts";
import type { FromDriver, NobodyDone, NobodyWork } from "../process/messages.ts";
import { connectRpc } from "../rpc/connect.ts";
import { withEventFace } from "./checks/event-face.ts";

const REQUEST_TIMEOUT_MS = 1000;

/**
 * Connects as ourselves, which loads all code and shows that connecting works; then gives the process to the user `nobody`
 * and connects again. The same code in the same process: what differs is the user alone.
 */
export async function connectAsNobody(
  plain: Transport,
  work: NobodyWork,
  send: (message: FromDriver) => void,
): Promise<void> {
  const hindrance = await prepare(plain, work);
  if (hindrance === null) send({ type: "nobody", hindrance, ...(await attempt(plain, work)) });
  else send({ type: "nobody", hindrance, connected: false });
}

/** Why the attempt would mean nothing; null when it will. */
async function prepare(plain: Transport, work: NobodyWork): Promise<string | null> {
  if (process.getuid?.() !== 0) return "only root may run a process as another user: run this check as root to have it";
  const ids = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync("/etc/passwd", "utf8"));
  if (ids === null) return "this machine has no user nobody";
  const own = await connectRpc(await withEventFace(plain), work.address);
  await own.request(new Uint8Array(16));
  await own.close();
  process.setgroups?.([]);
  process.setgid?.(Number(ids[2]));
  process.setuid?.(Number(ids[1]));
  // The bridge of a blocking mechanism starts a thread, which reads its program as the user it now is.
  return plain.event !== undefined || readable()
    ? null
    : "the user nobody may not read this program: put it where he can";
}

function readable(): boolean {
  try {
    accessSync(fileURLToPath(import.meta.url), constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

async function attempt(plain: Transport, work: NobodyWork): Promise<Pick<NobodyDone, "connected" | "refusal">> {
  const transport = await withEventFace(plain);
  try {
    const client = await connectRpc(transport, work.address);
    // Where connecting promises nothing, being served is what counts.
    if (transport.capabilities.connects === "lazy") {
      await client.request(new Uint8Array(16), { timeoutMs: REQUEST_TIMEOUT_MS });
    }
    return { connected: true };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? `${error.code}: ` : "";
    return { connected: false, refusal: `${code}${error instanceof Error ? error.message : String(error)}` };
  }
}
