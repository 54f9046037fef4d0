/**
 * Eight hexadecimal digits that no other address of the run has. They need not be unguessable: the directory or prefix of the
 * place is. So they do not come from `node:crypto`, which takes 15 ms to load in every process of every trial.
 */
export function distinctName(): string {
  return Math.floor(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, "0");
}
