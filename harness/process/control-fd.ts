/** Descriptor of the control channel. The standard streams are left to the code that a process loads. */
export const CONTROL_FD = 3;
/** Flag after the command of a process, which states the descriptor of the control channel. */
export const CONTROL_ARGS = ["--control-fd", String(CONTROL_FD)] as const;
