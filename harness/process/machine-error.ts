/** A command cannot run on this machine as it is set up: one sentence that names what is wrong and what to do. Exit 23. */
export class MachineError extends Error {
  override readonly name = "MachineError";
}
