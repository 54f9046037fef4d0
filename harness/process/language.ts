import { PROGRAM } from "../../transports/contract/capabilities.ts";

/** Whether the process behind a server is one of ours on Node, which itself may start a program of the user's. */
export function runsOnNode(language: string): boolean {
  return language === "node" || language === PROGRAM;
}
