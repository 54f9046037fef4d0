import { type Answer, comparePositions, type MailName } from "./names.ts";

/** A file that is missing between two others for so long will not come any more. */
const GAP_LIMIT_MS = 2000;

/**
 * Puts the files of one sender in the order of sending, although a listing may show a younger file and miss an older
 * one that appeared during the listing. Pure: it is told what the folder holds and answers what is next.
 */
export class Inbox {
  #epoch: number | undefined;
  #next = 1;
  #gapSinceMs: number | undefined;
  #answered: Answer = { sequence: 0, index: -1 };

  /**
   * The next message among `names`, or undefined when it is not there yet.
   *
   * @param list a fresh listing, asked for only where the first one does not prove that nothing older is missing. A
   *   sender renames in order, so a listing begun after a file was seen shows every older one.
   * @returns "gap" when a message in between has been missing for two seconds.
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
    // A new sender of requests may begin anywhere (its earlier ones were served by a predecessor); epochs begin at 1.
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

  /** Call it when the message was handed over. */
  advance(): void {
    this.#next += 1;
  }

  /** True for what was taken before: its file is a leftover of a crash, or an event about our own removal of it. */
  isPast(name: MailName): boolean {
    if (this.#epoch === undefined) return false;
    return name.epoch < this.#epoch || (name.epoch === this.#epoch && name.serial < this.#next);
  }

  /**
   * True when this response repeats one already delivered: a server killed between answering and removing the request
   * leaves it to its successor, which answers once more.
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
