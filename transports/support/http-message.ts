import type { Readable } from "node:stream";
import { IpcError, type IpcErrorCode } from "../contract/errors.ts";

/** Media type of messages. */
export const MESSAGE_TYPE = "application/octet-stream";

/**
 * Reads a message from the body of a request or response. Calls `done` once: with the body, with `true` if the body is
 * too long, with neither if it was cut off.
 */
export function readBody(
  incoming: Readable,
  announcedBytes: number,
  maxBytes: number,
  done: (body: Buffer | undefined, tooLong: boolean) => void,
): void {
  if (announcedBytes > maxBytes) {
    incoming.resume();
    return done(undefined, true);
  }
  let first: Buffer | undefined;
  let rest: Buffer[] | undefined;
  let bytes = 0;
  incoming.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) return;
    if (first === undefined) first = chunk;
    else if (rest === undefined) rest = [first, chunk];
    else rest.push(chunk);
  });
  incoming.once("end", () => {
    if (bytes > maxBytes) done(undefined, true);
    else done(rest ? Buffer.concat(rest, bytes) : (first ?? Buffer.alloc(0)), false);
  });
  incoming.once("error", () => done(undefined, false));
}

const STATUS_CODES: Readonly<Record<number, IpcErrorCode>> = {
  400: "IPC_MALFORMED",
  408: "IPC_TIMEOUT",
  413: "IPC_TOO_LARGE",
  503: "IPC_PEER_LOST",
};

/** Converts the status of a response without a message to an error. */
export function statusError(transport: string, status: number): IpcError {
  const code = STATUS_CODES[status] ?? "IPC_SYSTEM";
  return new IpcError(code, `${transport}: the server answered with status ${status}`, { transport });
}

/** Returns the error for a reply above the limit. */
export function replyTooLarge(transport: string): IpcError {
  return new IpcError("IPC_TOO_LARGE", `${transport}: the reply is too large`, { transport });
}
