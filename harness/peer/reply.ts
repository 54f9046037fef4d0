import { Kind, type Status } from "../../transports/contract/frame.ts";

/** Turns a copied request into its own reply: same id, same body, so the same checksum. */
export function turnIntoReply(frame: Uint8Array, status: Status): void {
  frame[4] = Kind.reply;
  frame[6] = status;
  frame[7] = 0;
}
