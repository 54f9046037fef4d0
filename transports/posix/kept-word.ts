import type { Libc, Word } from "./libc.ts";

/** The word of a number that is mostly the same as last time, so that no call makes a new object. */
export class KeptWord {
  readonly #libc: Libc;
  #value = 0;
  #word: Word;

  constructor(libc: Libc) {
    this.#libc = libc;
    this.#word = libc.word(0);
  }

  of(value: number): Word {
    if (value !== this.#value) {
      this.#word = this.#libc.word(value);
      this.#value = value;
    }
    return this.#word;
  }
}
