/** One of our own commands, the way this program was started: by a script of the repository or as an installed program. */
export function ours(command: string, ...args: readonly string[]): string {
  const typed = args.join(" ");
  if (process.env["npm_lifecycle_event"] === undefined) return `ipcmark ${command} ${typed}`.trim();
  return typed === "" ? `npm run ${command}` : `npm run ${command} -- ${typed}`;
}
