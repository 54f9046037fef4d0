import { PROGRAM } from "../../../transports/contract/capabilities.ts";
import { isIpcError } from "../../../transports/contract/errors.ts";
import { HungError, inTime } from "../../process/in-time.ts";
import type { RpcClient } from "../../rpc/client.ts";
import type { RunningPeer } from "../peers/running-peer.ts";

/** Time in which a server must answer a request on a new connection, ms. */
const ANSWER_MS = 3000;
/** Time in which a new server of a user's module must be ready, ms. */
const NEW_SERVER_MS = 8000;

/**
 * Sends one request to a user's program, after a check with it failed.
 *
 * @param servers as for `ServerWatch`
 * @returns a clause about the program if it does not answer; undefined if it does, or has ended
 */
export async function silenceOfProgram(servers: ReadonlySet<RunningPeer>): Promise<string | undefined> {
  const program = [...servers].find(({ info }) => info.language === PROGRAM);
  if (program === undefined || !(await isSilent(program))) return undefined;
  return `answers no request: none within ${ANSWER_MS / 1000} s on a new connection`;
}

/** Finds that a user's module answers nothing, so that its other checks would only wait. */
export class ModuleSilence {
  #isDecided = false;

  /** Records that a client of a check has had a reply. */
  answered(): void {
    this.#isDecided = true;
  }

  /**
   * Sends one request to a new server, after a check failed that waited for something. Does nothing once a reply came.
   *
   * @param failure error of the check
   * @param tookMs time of the check, ms
   * @returns a clause about the module if nothing comes; undefined if a reply comes, or an error
   */
  async find(failure: unknown, tookMs: number, start: () => Promise<RunningPeer>): Promise<string | undefined> {
    const hasWaited = tookMs >= ANSWER_MS || isLate(failure);
    if (this.#isDecided || !hasWaited) return undefined;
    const clause = await silenceOfNew(start);
    this.#isDecided = clause === undefined;
    return clause;
  }
}

async function silenceOfNew(start: () => Promise<RunningPeer>): Promise<string | undefined> {
  try {
    const server = await inTime("the start of a server", NEW_SERVER_MS, start);
    if (!(await isSilent(server))) return undefined;
    return `answers no request: none within ${ANSWER_MS / 1000} s, not even the first one to a new server`;
  } catch (error) {
    return error instanceof HungError
      ? `starts no server: a new one was not ready within ${NEW_SERVER_MS / 1000} s`
      : undefined;
  }
}

/** True for a server that lets a request on a new connection wait; false if it answers, fails or has ended. */
async function isSilent(server: RunningPeer): Promise<boolean> {
  let client: RpcClient | undefined;
  try {
    await inTime("a request", ANSWER_MS, async () => {
      client = await server.connect();
      await client.request(new Uint8Array(16), { timeoutMs: ANSWER_MS });
    });
    return false;
  } catch (error) {
    return isLate(error);
  } finally {
    client?.connection.close(0).catch(() => undefined);
  }
}

function isLate(error: unknown): boolean {
  return error instanceof HungError || (isIpcError(error) && error.code === "IPC_TIMEOUT");
}
