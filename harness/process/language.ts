import { PROGRAM } from "../../transports/contract/capabilities.ts";

/** True if the process of the server is ours, on Node, also if it starts a user's program as the server. */
export function runsOnNode(language: string): boolean {
  return language === "node" || language === PROGRAM;
}
