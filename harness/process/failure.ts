import { IPC_ERROR_CODES, IpcError, type IpcErrorCode, shortageIn } from "../../transports/contract/errors.ts";
import { REMEDIES, SHORTAGES } from "../../transports/contract/shortage.ts";
import { errnoName } from "../../transports/posix/errno.ts";
import type { Failed } from "./messages.ts";

/** An error as it travels to another process; a shortage of the machine is named as one, whatever wraps it. */
export function failureOf(error: unknown): Failed {
  const shown = shortageIn(error) ?? error;
  const message = shown instanceof Error ? shown.message : String(shown);
  const code = shown instanceof Error && "code" in shown ? String(shown.code) : "IPC_SYSTEM";
  return { type: "failed", code, message };
}

/** The error another process reported, as one of ours. */
export function rejection(transport: string, { code, message }: Failed): IpcError {
  const known = code in IPC_ERROR_CODES ? (code as IpcErrorCode) : "IPC_SYSTEM";
  const remedy = known === "IPC_SHORTAGE" ? remedyForPython(message) : undefined;
  return new IpcError(known, remedy === undefined ? message : `${message}: ${remedy}`, { transport });
}

/** A peer in Python reports what its system said, as `OSError: [Errno 24] Too many open files`, and has no remedies of its own. */
function remedyForPython(message: string): string | undefined {
  const number = /\[Errno (\d+)\]/.exec(message)?.[1];
  const lacking = number === undefined ? undefined : SHORTAGES[errnoName(Number(number))];
  return lacking === undefined ? undefined : REMEDIES[lacking];
}
