import { IpcError } from "../contract/errors.ts";
import type { OpenOptions, Server } from "../contract/transport.ts";
import { Deadline } from "./deadline.ts";

/** Longest time that opening may take if the caller sets no limit. */
export const OPEN_LIMIT_MS = 5000;

/** @throws IpcError IPC_ABORTED if the signal has fired already, IPC_UNSUPPORTED for a key that nobody would check. */
export function checkOptions(transport: string, options: OpenOptions | undefined): void {
  if (options?.signal?.aborted) throw aborted(transport);
  if (options?.key !== undefined) {
    const message = `${transport} cannot check a key; omit it, or choose a transport whose auth lists shared-key`;
    throw new IpcError("IPC_UNSUPPORTED", message, { transport });
  }
}

export function aborted(transport: string): IpcError {
  return new IpcError("IPC_ABORTED", `${transport}: aborted by the caller's signal`, { transport });
}

/**
 * Settles as `work` does. If the signal fires or the time runs out before that, calls `cancel` and rejects with
 * IPC_ABORTED or IPC_TIMEOUT.
 */
export async function withinLimit<T>(
  transport: string,
  options: OpenOptions | undefined,
  work: Promise<T>,
  cancel: () => void,
  limitMs: number = OPEN_LIMIT_MS,
): Promise<T> {
  const interruption = Promise.withResolvers<never>();
  const interrupt = (error: IpcError): void => {
    cancel();
    interruption.reject(error);
  };
  const onAbort = (): void => interrupt(aborted(transport));
  const deadline = new Deadline(limitMs, () => {
    interrupt(new IpcError("IPC_TIMEOUT", `${transport}: no answer within ${limitMs} ms`, { transport }));
  });
  options?.signal?.addEventListener("abort", onAbort, { once: true });
  if (options?.signal?.aborted) onAbort();
  // Cancelling makes `work` fail too; without this, that second failure would have no listener.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, interruption.promise]);
  } finally {
    deadline.clear();
    options?.signal?.removeEventListener("abort", onAbort);
  }
}

/** Fails if a signal fired while the socket was put in place. @throws IpcError IPC_ABORTED; nothing listens then. */
export async function unlessAborted(
  transport: string,
  options: OpenOptions | undefined,
  server: Server,
): Promise<Server> {
  if (!options?.signal?.aborted) return server;
  await server.close();
  throw aborted(transport);
}
