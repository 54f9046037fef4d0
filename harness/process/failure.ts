import { IPC_ERROR_CODES, IpcError, type IpcErrorCode, shortageIn } from "../../transports/contract/errors.ts";
import { REMEDIES, SHORTAGES } from "../../transports/contract/shortage.ts";
import { errnoName } from "../../transports/posix/errno.ts";
import type { Failed } from "./messages.ts";

/** Converts an error to a message to another process. A shortage of the machine keeps its code, even if wrapped. */
export function failureOf(error: unknown): Failed {
  const shortage = shortageIn(error);
  if (shortage !== undefined) return { type: "failed", code: shortage.code, message: withoutNames(shortage.message) };
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "IPC_SYSTEM";
  return { type: "failed", code, message };
}

/** Removes the random names of a run from a message, so that a reason that many checks share is shown once. */
export function withoutNames(message: string): string {
  return message.replaceAll(/[^\s(,]*ipcmark-[0-9a-f]{16}[^\s),:;]*/g, "…");
}

/** Converts an error that another process reported to an IpcError. */
export function rejection(transport: string, { code, message }: Failed): IpcError {
  const known = code in IPC_ERROR_CODES ? (code as IpcErrorCode) : "IPC_SYSTEM";
  const remedy = known === "IPC_SHORTAGE" ? remedyForPython(message) : undefined;
  return new IpcError(known, remedy === undefined ? message : `${message}: ${remedy}`, { transport });
}

/** Returns the remedy for an error of a Python peer, such as `OSError: [Errno 24] Too many open files`. */
function remedyForPython(message: string): string | undefined {
  const number = /\[Errno (\d+)\]/.exec(message)?.[1];
  const lacking = number === undefined ? undefined : SHORTAGES[errnoName(Number(number))];
  return lacking === undefined ? undefined : REMEDIES[lacking];
}
