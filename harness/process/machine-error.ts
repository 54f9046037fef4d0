/** Failure of a command that this machine as set up cannot run. Its sentence names fault and remedy. Exit 23. */
export class MachineError extends Error {
  override readonly name = "MachineError";
}
