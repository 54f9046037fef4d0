/**
 * Loads `node:crypto` at the first call. With an import, Node would evaluate all of the module, at a cost of 50 ms of
 * CPU time for every process that starts.
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
