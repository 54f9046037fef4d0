import { IPC_ERROR_CODES, IpcError, type IpcErrorCode, shortageIn } from "../../transports/contract/errors.ts";
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
  return new IpcError(known, message, { transport });
}
