import { constants } from "node:os";
import type { IpcError } from "../contract/errors.ts";
import { errnoError } from "../posix/errno.ts";
import type { Handle, Kernel32 } from "./kernel32.ts";

/** Codes of Windows that callers tell apart, by the errno with the same meaning. */
const ERRNOS: Readonly<Record<number, keyof typeof constants.errno>> = {
  2: "ENOENT",
  3: "ENOENT",
  5: "EACCES",
  8: "ENOMEM",
  14: "ENOMEM",
  32: "EBUSY",
  80: "EEXIST",
  87: "EINVAL",
  112: "ENOSPC",
  123: "EINVAL",
  161: "EINVAL",
  183: "EEXIST",
  206: "ENAMETOOLONG",
  298: "EOVERFLOW",
  1455: "ENOMEM",
};
export const ERROR_FILE_NOT_FOUND = 2;
export const ERROR_INVALID_NAME = 123;
const ERROR_ALREADY_EXISTS = 183;
export const ERROR_FILENAME_EXCED_RANGE = 206;
/** NULL, which is not imported: `kernel32.ts` needs nothing of this file, and this file only its types. */
const NO_HANDLE: Handle = 0;
/** Code for a section of a file without bytes. */
export const ERROR_FILE_INVALID = 1006;

/**
 * Builds the error of a call that has just failed. Call it before anything else runs.
 *
 * @param call name of the function
 * @param subject name or path that it got
 */
export function lastError(api: Kernel32, call: string, subject: string): IpcError {
  return windowsError(api.GetLastError(), call, subject);
}

/**
 * Returns the handle of a named object that a call has just created, exclusively. Call it before anything else runs.
 *
 * @param call name of the function
 * @throws IpcError IPC_ADDRESS_IN_USE (EEXIST) where it opened the object of somebody else, IPC_SHORTAGE, IPC_SYSTEM
 */
export function created(api: Kernel32, handle: Handle, call: string, name: string): Handle {
  const code = api.GetLastError();
  const isThere = handle !== NO_HANDLE;
  if (isThere && code !== ERROR_ALREADY_EXISTS) return handle;
  if (isThere) api.CloseHandle(handle);
  throw windowsError(code, call, name);
}

/** Builds the error of a code of Windows: an IpcError with the errno that means the same, or EIO and the code. */
export function windowsError(code: number, call: string, subject: string): IpcError {
  const name = ERRNOS[code];
  if (name === undefined) return errnoError(constants.errno.EIO, call, subject, `Windows returned error ${code}`);
  return errnoError(constants.errno[name], call, subject);
}
