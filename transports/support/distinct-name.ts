/**
 * Returns eight hexadecimal digits that no other address of the run has. They may be guessed, unlike the directory or
 * prefix of the place, so they do without `node:crypto`, which takes 15 ms to load in every process of every trial.
 */
export function distinctName(): string {
  return Math.floor(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, "0");
}
