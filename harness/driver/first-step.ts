/** Messages in the first step of a calibration; each next one is larger until a step fills the budget. */
export const FIRST_STEP = 32;
/** Bytes of a first step, about, where messages are large. */
const FIRST_STEP_BYTES = 4 * 1024 * 1024;

/** Returns the messages of the first step of a closed loop: at least one for each client. */
export function closedStep(clients: number, payloadBytes: number): number {
  return Math.max(1, clients, Math.min(FIRST_STEP, Math.floor(FIRST_STEP_BYTES / payloadBytes)));
}
