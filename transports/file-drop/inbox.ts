import { type Answer, comparePositions, type MailName } from "./names.ts";

/** Longest wait for a file that is missing between two others, ms. */
const GAP_LIMIT_MS = 2000;

/**
 * Puts the files of one sender in the order of sending. This is needed because a listing may show a newer file and miss
 * an older one. Pure: callers pass the names in the folder and get the next message.
 */
export class Inbox {
  #epoch: number | undefined;
  #next = 1;
  #gapSinceMs: number | undefined;
  #answered: Answer = { sequence: 0, index: -1 };

  /**
   * Returns the next message among `names`, or undefined when it is not there yet.
   *
   * @param list makes a new listing; called only if `names` may miss an older file. A sender renames in order, so a
   *   listing that begins after a file was seen shows every older one.
   * @returns "gap" if a message in between has been missing for two seconds
   */
  next(names: readonly MailName[], list: () => readonly MailName[], nowMs: number): MailName | "gap" | undefined {
    const exact = names.find((name) => name.epoch === this.#epoch && name.serial === this.#next);
    if (exact !== undefined) return this.#found(exact);
    const seen = this.#oldest(names);
    if (seen === undefined) {
      this.#gapSinceMs = undefined;
      return undefined;
    }
    const oldest = this.#oldest(list());
    if (oldest === undefined) return undefined;
    if (oldest.epoch === this.#epoch && oldest.serial === this.#next) return this.#found(oldest);
    // A sender of requests may begin with any number, since a predecessor served the earlier ones. Epochs begin at 1.
    const begins = oldest.epoch === 0 ? this.#epoch === undefined : oldest.epoch !== this.#epoch && oldest.serial === 1;
    if (begins) return this.#found(oldest);
    return this.#wait(nowMs);
  }

  #oldest(names: readonly MailName[]): MailName | undefined {
    let oldest: MailName | undefined;
    for (const name of names) {
      if (this.isPast(name)) continue;
      if (oldest === undefined || comparePositions(name, oldest) < 0) oldest = name;
    }
    return oldest;
  }

  #found(name: MailName): MailName {
    this.#gapSinceMs = undefined;
    this.#epoch = name.epoch;
    this.#next = name.serial;
    return name;
  }

  #wait(nowMs: number): "gap" | undefined {
    this.#gapSinceMs ??= nowMs;
    return nowMs - this.#gapSinceMs < GAP_LIMIT_MS ? undefined : "gap";
  }

  /** Advances past a message; to be called after the handler got the message. */
  advance(): void {
    this.#next += 1;
  }

  /** Returns `true` for a message taken before: a crash left its file, or the event reports the removal of the file. */
  isPast(name: MailName): boolean {
    if (this.#epoch === undefined) return false;
    return name.epoch < this.#epoch || (name.epoch === this.#epoch && name.serial < this.#next);
  }

  /**
   * Returns `true` if this response was delivered before. If a server is killed between its reply and the removal of
   * the request, its successor replies to the request again.
   */
  isRepeated(answers: Answer | undefined): boolean {
    if (answers === undefined) return false;
    const last = this.#answered;
    const newer =
      answers.sequence > last.sequence || (answers.sequence === last.sequence && answers.index > last.index);
    if (newer) this.#answered = answers;
    return !newer;
  }
}
