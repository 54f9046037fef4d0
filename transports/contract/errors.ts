import { REMEDIES, resourceOf } from "./shortage.ts";

/** Codes that an {@link IpcError} can carry, with the meaning for the caller. */
export const IPC_ERROR_CODES = {
  IPC_ABORTED: "the caller's AbortSignal ended the operation",
  IPC_ADDRESS_IN_USE: "a live server, or something that is not ours, is at that address",
  IPC_AUTH_FAILED: "the key was wrong, missing on one side, or refused",
  IPC_CLOSED: "this end was closed before the call",
  IPC_MALFORMED: "the other side sent bytes that are not a valid message",
  IPC_PEER_LOST: "the other process is gone, or nobody listens",
  IPC_SHORTAGE: "this machine has too little of something; the message names it and the remedy",
  IPC_SYSTEM: "the operating system refused; `errno` names the reason",
  IPC_TIMEOUT: "the time allowed ran out",
  IPC_TOO_LARGE: "the message is larger than the mechanism carries",
  IPC_UNKNOWN_METHOD: "the server has no such method",
  IPC_UNSUPPORTED: "the mechanism, or this pattern of it, cannot do that",
} as const;

export type IpcErrorCode = keyof typeof IPC_ERROR_CODES;

export interface IpcErrorDetails {
  /** Id of the transport in which the error happened. */
  readonly transport?: string;
  /** Symbolic errno such as `EADDRINUSE`, where the operating system returned one. */
  readonly errno?: string;
  readonly cause?: unknown;
}

/** The one error class of all transports: switch on `code`, show `message`. */
export class IpcError extends Error {
  override readonly name = "IpcError";
  readonly code: IpcErrorCode;
  readonly transport: string | undefined;
  readonly errno: string | undefined;

  constructor(code: IpcErrorCode, message: string, details: IpcErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.transport = details.transport;
    this.errno = details.errno;
  }
}

/** True for an IpcError, also for one that another copy of this module made. */
export function isIpcError(error: unknown): error is IpcError {
  return error instanceof Error && error.name === "IpcError" && "code" in error;
}

const ERRNO_TO_CODE: Readonly<Record<string, IpcErrorCode>> = {
  EADDRINUSE: "IPC_ADDRESS_IN_USE",
  EEXIST: "IPC_ADDRESS_IN_USE",
  ECONNREFUSED: "IPC_PEER_LOST",
  ECONNRESET: "IPC_PEER_LOST",
  ENOENT: "IPC_PEER_LOST",
  EPIPE: "IPC_PEER_LOST",
  EOF: "IPC_PEER_LOST",
  ABORT_ERR: "IPC_ABORTED",
  EMSGSIZE: "IPC_TOO_LARGE",
  ETIMEDOUT: "IPC_TIMEOUT",
};

/** Makes an IpcError of any error; returns an IpcError as it is. An unknown errno gets the code `fallback`. */
export function toIpcError(error: unknown, transport: string, fallback: IpcErrorCode = "IPC_SYSTEM"): IpcError {
  if (isIpcError(error)) return error;
  const errno = error instanceof Error && "code" in error ? String(error.code) : undefined;
  const message = error instanceof Error ? error.message : String(error);
  const details = errno ? { transport, errno, cause: error } : { transport, cause: error };
  const lacking = resourceOf(error as NodeJS.ErrnoException);
  if (lacking !== undefined) {
    return new IpcError("IPC_SHORTAGE", `${transport}: ${message}: ${REMEDIES[lacking]}`, details);
  }
  const code = (errno && ERRNO_TO_CODE[errno]) || fallback;
  return new IpcError(code, `${transport}: ${message}`, details);
}

const DEEPEST_CAUSE = 8;

/** Looks for a shortage of the machine in an error and its causes, and returns it; undefined when there is none. */
export function shortageIn(error: unknown): IpcError | undefined {
  let cause = error;
  for (let depth = 0; cause instanceof Error && depth < DEEPEST_CAUSE; depth++) {
    const found = toIpcError(cause, "this machine");
    if (found.code === "IPC_SHORTAGE") return found;
    cause = cause.cause;
  }
  return undefined;
}
