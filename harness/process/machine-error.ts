/** Error of a command that cannot run on this machine as it is set up; names fault and remedy. Exit code 23. */
export class MachineError extends Error {
  override readonly name = "MachineError";
}
