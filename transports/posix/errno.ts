import { constants } from "node:os";
import { IpcError, type IpcErrorCode } from "../contract/errors.ts";
import { REMEDIES as MACHINE, type Resource, SHORTAGES } from "../contract/shortage.ts";
import type { Libc } from "./libc.ts";
import { inBytes, spaceIn } from "./machine-limits.ts";

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, number]) => [number, name]),
);

/** Error numbers of Linux, for comparisons in hot paths. */
export const EINTR: number = constants.errno.EINTR;
export const EAGAIN: number = constants.errno.EAGAIN;
export const ETIMEDOUT: number = constants.errno.ETIMEDOUT;

const CODES: Readonly<Record<string, IpcErrorCode>> = {
  EEXIST: "IPC_ADDRESS_IN_USE",
  EADDRINUSE: "IPC_ADDRESS_IN_USE",
  ENOENT: "IPC_PEER_LOST",
  ECONNREFUSED: "IPC_PEER_LOST",
  ECONNRESET: "IPC_PEER_LOST",
  EPIPE: "IPC_PEER_LOST",
  ENOTCONN: "IPC_PEER_LOST",
  EMSGSIZE: "IPC_TOO_LARGE",
  ETIMEDOUT: "IPC_TIMEOUT",
  EBADF: "IPC_CLOSED",
};

/** Remedies for errnos, if they do not depend on the call. */
const REMEDIES: Readonly<Record<string, string>> = {
  EEXIST: "the name is taken: choose another, or unlink it if its owner is gone",
  EADDRINUSE: "the name is taken: choose another, or stop what listens there",
  ENOENT: "nothing has that name",
  EACCES: "permission denied: objects are created 0600, so use the account that created it",
  ENAMETOOLONG: "names have at most 255 bytes",
  EINVAL: "invalid argument",
};

/** Converts a number to its name: 17 -> "EEXIST"; numbers unknown here become "E17". */
export function errnoName(number: number): string {
  return NAMES.get(number) ?? `E${number}`;
}

/** Error with the properties of Node's own errors, so that `cause.errno` keeps the number. */
export interface SystemErrorCause extends Error {
  readonly errno: number;
  readonly code: string;
  readonly syscall: string;
}

/**
 * Builds the error of a call that has just failed. Call it before anything else runs.
 *
 * @param call name of the C function
 * @param subject name or path that the call got
 * @param remedy remedy, if the caller has a better one than the table
 */
export function systemError(libc: Libc, call: string, subject: string, remedy?: string): IpcError {
  return errnoError(libc.errno(), call, subject, remedy);
}

/** Does the same as {@link systemError} for functions that return the number instead of setting `errno`. */
export function errnoError(number: number, call: string, subject: string, remedy?: string): IpcError {
  const name = errnoName(number);
  const lacking = lackingIn(name, call, subject);
  const advice = remedy ?? (lacking === undefined ? REMEDIES[name] : adviceFor(lacking));
  const text = `${call}(${subject}): ${name}${advice === undefined ? "" : `: ${advice}`}`;
  const cause: SystemErrorCause = Object.assign(new Error(text), { errno: number, code: name, syscall: call });
  return new IpcError(lacking === undefined ? (CODES[name] ?? "IPC_SYSTEM") : "IPC_SHORTAGE", text, {
    errno: name,
    cause,
  });
}

/** Returns the resource that was short; undefined for an errno that means something else. */
function lackingIn(name: string, call: string, subject: string): Resource | undefined {
  const inMemory = /^(shm|sem)_/.test(call) || /^(shared memory |\/dev\/shm\/)/.test(subject);
  return name === "ENOSPC" && inMemory ? "sharedMemory" : SHORTAGES[name];
}

function adviceFor(lacking: Resource): string {
  if (lacking !== "sharedMemory") return MACHINE[lacking];
  const { totalBytes, freeBytes } = spaceIn("/dev/shm");
  return `/dev/shm has ${inBytes(freeBytes)} free of ${inBytes(totalBytes)}: ${MACHINE[lacking]}`;
}
