import { visible } from "../results/format.ts";

/** One line on stderr, drawn between trials only: a parent that redraws is a third busy process on two cores. */
export interface Progress {
  begin(steps: number, plannedMs: number): void;
  /** Replaces the time left by a better guess. `leftSteps` replaces the number of steps that have not begun. */
  replan(leftMs: number, leftSteps?: number): void;
  step(what: string): void;
  end(): void;
}

/** Shortest time between two lines where stderr is no terminal. A CI log then shows that the run is alive. */
const QUIET_EVERY_MS = 10_000;

export const silent: Progress = { begin() {}, replan() {}, step() {}, end() {} };

/**
 * Shows one part of a run in the progress line of the whole. `wholeLeftMs` turns the time left of the part into that of
 * the whole.
 */
export function asPartOf(whole: Progress, wholeLeftMs: (partLeftMs: number) => number): Progress {
  return {
    ...whole,
    begin: (steps, plannedMs) => whole.begin(steps, wholeLeftMs(plannedMs)),
    replan: (leftMs, leftSteps) => whole.replan(wholeLeftMs(leftMs), leftSteps),
  };
}

export function progressOn(stream: NodeJS.WriteStream): Progress {
  let steps = 0;
  let done = -1;
  let endsAtMs = 0;
  let beganMs = 0;
  let writtenAtMs = 0;
  // After the end of the plan, the time left is estimated from the pace so far.
  const left = (): string => {
    const nowMs = performance.now();
    const byPaceMs = ((nowMs - beganMs) / Math.max(1, done)) * (steps - done);
    const leftMs = endsAtMs > nowMs ? endsAtMs - nowMs : byPaceMs;
    return `${Math.max(1, Math.ceil(leftMs / 1000))} s left`;
  };
  return {
    begin(total, plannedMs) {
      steps = total;
      done = -1;
      beganMs = performance.now();
      endsAtMs = beganMs + plannedMs;
      writtenAtMs = beganMs;
    },
    replan(leftMs, leftSteps) {
      if (leftSteps !== undefined) steps = done + 1 + leftSteps;
      endsAtMs = performance.now() + leftMs;
    },
    step(what) {
      done++;
      // A step that was not planned makes the plan longer.
      steps = Math.max(steps, done + 1);
      const line = `[${done}/${steps}] ${visible(what)}, ${left()}`;
      if (stream.isTTY) {
        stream.write(`\r\u001b[2K${line.slice(0, (stream.columns || 80) - 1)}`);
      } else if (performance.now() - writtenAtMs >= QUIET_EVERY_MS) {
        writtenAtMs = performance.now();
        stream.write(`${line}\n`);
      }
    },
    end() {
      if (stream.isTTY) stream.write("\r\u001b[2K");
    },
  };
}
