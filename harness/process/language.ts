import { PROGRAM } from "../../transports/contract/capabilities.ts";

/** True where the process behind a server is ours, on Node; it may start a program of the user's. */
export function runsOnNode(language: string): boolean {
  return language === "node" || language === PROGRAM;
}
