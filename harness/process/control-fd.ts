/** Where a process of ours finds its control channel when a flag says so: its standard streams belong to whatever it loads. */
export const CONTROL_FD = 3;
/** That flag, behind the command of the process. */
export const CONTROL_ARGS = ["--control-fd", String(CONTROL_FD)] as const;
