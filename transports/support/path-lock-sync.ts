import { isAnswered } from "../posix/unix-socket.ts";
import { withPathLockWaiting } from "./path-lock-wait.ts";

/**
 * Does the same as `withPathLock`, with the same lock, for callers that cannot wait in an event loop. The path may lead
 * to a segment or to a socket.
 */
export function withPathLockSync<T>(path: string, transport: string, work: () => T): T {
  return withPathLockWaiting(path, transport, work, (socket) => isAnswered(socket, "stream"));
}
