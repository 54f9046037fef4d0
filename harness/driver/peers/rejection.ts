import { IPC_ERROR_CODES, IpcError, type IpcErrorCode } from "../../../transports/contract/errors.ts";
import type { Failed } from "../../process/messages.ts";

/** The error another process reported, as one of ours. */
export function rejection(transport: string, { code, message }: Failed): IpcError {
  const known = code in IPC_ERROR_CODES ? (code as IpcErrorCode) : "IPC_SYSTEM";
  return new IpcError(known, message, { transport });
}
