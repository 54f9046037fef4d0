/** Descriptor of the control channel. The standard streams belong to the code that a process loads. */
export const CONTROL_FD = 3;
/** Flag behind the command of a process: the control channel is on that descriptor. */
export const CONTROL_ARGS = ["--control-fd", String(CONTROL_FD)] as const;
