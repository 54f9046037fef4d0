/** Messages in the first step of a calibration. Each further step is larger, until one fills the budget. */
export const FIRST_STEP = 32;
/** Approximate bytes of a first step if messages are large. */
const FIRST_STEP_BYTES = 4 * 1024 * 1024;

/** Returns the number of messages in the first step of a closed loop: at least one per client. */
export function closedStep(clients: number, payloadBytes: number): number {
  return Math.max(1, clients, Math.min(FIRST_STEP, Math.floor(FIRST_STEP_BYTES / payloadBytes)));
}
