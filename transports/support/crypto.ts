/**
 * Loads `node:crypto` at the first call. An import makes Node evaluate all of it, which costs every process 50 ms of
 * CPU time at its start.
 */
type Crypto = typeof import("node:crypto");

const crypto = (): Crypto => process.getBuiltinModule("node:crypto");

export const randomBytes = (bytes: number): Buffer => crypto().randomBytes(bytes);

/** @returns a whole number, at least `least` and less than `end` */
export const randomInt = (least: number, end: number): number => crypto().randomInt(least, end);

export const randomUUID = (): string => crypto().randomUUID();

export const createHash: Crypto["createHash"] = (...given) => crypto().createHash(...given);

export const createHmac: Crypto["createHmac"] = (...given) => crypto().createHmac(...given);

export const timingSafeEqual: Crypto["timingSafeEqual"] = (...given) => crypto().timingSafeEqual(...given);
