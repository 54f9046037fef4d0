/** Time without a turn of its event loop after which the thread of a driver that runs checks counts as blocked, ms. */
export const BLOCKED_MS = 6000;
/** Time between two `alive` lines of such a driver, ms. */
export const BEAT_MS = 500;
/** Code of the failure of a driver whose server reads no control lines. */
export const SERVER_BLOCKED = "SERVER_BLOCKED";

/** Side whose thread is blocked: the process that runs the check, or the process of its server. */
export type BlockedSide = "client" | "server";

/** Reports that a server on an event loop has not read its control lines in time. */
export class BlockedServer extends Error {
  override readonly name = "BlockedServer";
  readonly code: string = SERVER_BLOCKED;
}
