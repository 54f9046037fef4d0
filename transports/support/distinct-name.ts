/**
 * Returns eight hexadecimal digits that no other address of the run has. It does not matter if they can be guessed,
 * since nobody can guess the directory or prefix of the place. So this avoids `node:crypto`, which takes 15 ms to load.
 */
export function distinctName(): string {
  return Math.floor(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, "0");
}
