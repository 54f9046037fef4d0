// What reports/format.ts does, for the browser; a test keeps the two equal.

export const ABSENT = "–";
const DURATION_UNITS = /** @type {const} */ ([
  ["s", 1e9],
  ["ms", 1e6],
  ["µs", 1e3],
  ["ns", 1],
]);

const QUANTITY_UNITS = /** @type {const} */ ([
  ["G", 1e9],
  ["M", 1e6],
  ["k", 1e3],
]);

/** @param {number} value */
export function significant(value) {
  if (value === 0) return "0";
  const rounded = Number(value.toPrecision(3));
  const magnitude = Math.floor(Math.log10(Math.abs(rounded)));
  return rounded.toFixed(Math.max(0, 2 - magnitude));
}

/** @param {number} ns */
function durationUnit(ns) {
  const rounded = Math.abs(Number(ns.toPrecision(3)));
  return DURATION_UNITS.find(([, size]) => rounded >= size) ?? DURATION_UNITS[3];
}

/** @param {number | null | undefined} ns */
export function duration(ns) {
  if (ns === null || ns === undefined || !Number.isFinite(ns)) return ABSENT;
  const [name, size] = durationUnit(ns);
  return `${significant(ns / size)} ${name}`;
}

/**
 * @param {readonly [number, number] | null} interval
 * @param {number} ns
 */
export function durationRange(interval, ns) {
  if (!interval) return ABSENT;
  const [, size] = durationUnit(ns);
  return `${significant(interval[0] / size)}–${significant(interval[1] / size)}`;
}

/** @param {number | null | undefined} count */
export function bytes(count) {
  if (count === null || count === undefined || !Number.isFinite(count)) return ABSENT;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = count;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number.isInteger(value) ? value : significant(value)} ${units[unit]}`;
}

/** @param {number | null | undefined} value */
export function quantity(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return ABSENT;
  const [prefix, size] = quantityUnit(value);
  return `${significant(value / size)} ${prefix}`.trimEnd();
}

/** @param {readonly [number, number] | null} interval @param {number} value */
export function quantityRange(interval, value) {
  const [, size] = quantityUnit(value);
  return interval ? `${significant(interval[0] / size)}–${significant(interval[1] / size)}` : ABSENT;
}

/** @param {number} value @returns {readonly [string, number]} */
function quantityUnit(value) {
  const rounded = Math.abs(Number(value.toPrecision(3)));
  return QUANTITY_UNITS.find(([, size]) => rounded >= size) ?? ["", 1];
}

/** @param {number | null | undefined} value */
export function ratio(value) {
  return value === null || value === undefined || !Number.isFinite(value) ? ABSENT : `${significant(value)}×`;
}

/** @param {readonly [number, number] | null} interval */
export function ratioRange(interval) {
  return interval ? `${significant(interval[0])}–${significant(interval[1])}` : ABSENT;
}
