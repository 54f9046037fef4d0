import { Kind, type Status } from "../../transports/contract/frame.ts";

/** Turns a copied request into its reply. Id and body stay the same, and so does the checksum. */
export function turnIntoReply(frame: Uint8Array, status: Status): void {
  frame[4] = Kind.reply;
  frame[6] = status;
  frame[7] = 0;
}
