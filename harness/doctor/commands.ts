/** Returns one of our commands as this program was started: a script of the repository or an installed program. */
export function ours(command: string, ...args: readonly string[]): string {
  const typed = args.join(" ");
  if (process.env["npm_lifecycle_event"] === undefined) return `ipcmark ${command} ${typed}`.trim();
  return typed === "" ? `npm run ${command}` : `npm run ${command} -- ${typed}`;
}
