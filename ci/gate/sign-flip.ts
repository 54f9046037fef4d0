/** Largest number of pairs whose 2^n sign patterns are all visited; with more, a fixed number of them is drawn. */
const EXACT_PAIRS = 22;
const DRAWS = 200_000;

/**
 * Returns the one-sided p of the paired sign-flip (permutation) test on the mean: the share of sign patterns whose mean
 * is at least that of the data. Exact for up to 22 pairs (Gray code, one addition per pattern). The data's own pattern
 * counts too, so p is never 0.
 * Reference: Fisher's randomisation test for paired data; SciPy `permutation_test(..., permutation_type="samples")`.
 *
 * @param differences head minus base, of the logarithms
 * @param random used only beyond 22 pairs
 */
export function signFlipP(differences: readonly number[], random: () => number = Math.random): number {
  const n = differences.length;
  if (n === 0) return 1;
  const observed = differences.reduce((sum, each) => sum + each, 0);
  const magnitudes = differences.map(Math.abs);
  // Sums that are equal on paper may differ in the last bits after thousands of additions.
  const slack =
    1e-12 *
    Math.max(
      1e-300,
      magnitudes.reduce((sum, each) => sum + each, 0),
    );
  return n <= EXACT_PAIRS ? exact(magnitudes, observed - slack) : drawn(magnitudes, observed - slack, random);
}

function exact(magnitudes: readonly number[], least: number): number {
  const n = magnitudes.length;
  const signs = new Int8Array(n).fill(-1);
  let sum = -magnitudes.reduce((total, each) => total + each, 0);
  let reached = sum >= least ? 1 : 0;
  const patterns = 2 ** n;
  for (let step = 1; step < patterns; step++) {
    // Gray code: pattern `step` differs from the one before in the lowest set bit of `step`.
    const flip = 31 - Math.clz32(step & -step);
    signs[flip] = -(signs[flip] as number);
    sum += 2 * (signs[flip] as number) * (magnitudes[flip] as number);
    if (sum >= least) reached++;
  }
  return reached / patterns;
}

function drawn(magnitudes: readonly number[], least: number, random: () => number): number {
  let reached = 1;
  for (let draw = 0; draw < DRAWS; draw++) {
    let sum = 0;
    for (const magnitude of magnitudes) sum += random() < 0.5 ? magnitude : -magnitude;
    if (sum >= least) reached++;
  }
  return reached / (DRAWS + 1);
}
