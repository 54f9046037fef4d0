import { typed } from "../results/command-line.ts";

/** Returns one of our commands as it can be typed here: a script of the repository, or the installed program. */
export function ours(command: string, ...args: readonly string[]): string {
  const { npm_lifecycle_event: event, npm_package_name: project } = process.env;
  // npx sets the event too. A clone has no program `ipcmark`, and another project has no script of ours.
  if (event === undefined) return ["ipcmark", command, ...args].join(" ");
  return typed(command, args, project === "ipcmark" ? "clone" : "package").join(" ");
}
