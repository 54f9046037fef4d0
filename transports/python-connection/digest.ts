import { createHmac, timingSafeEqual } from "../support/crypto.ts";

/** Digests that Python 3.12 and later accept in braces, with OpenSSL's names and the length of their results. */
const DIGESTS: ReadonlyMap<string, { readonly algorithm: string; readonly bytes: number }> = new Map([
  ["md5", { algorithm: "md5", bytes: 16 }],
  ["sha256", { algorithm: "sha256", bytes: 32 }],
  ["sha384", { algorithm: "sha384", bytes: 48 }],
  ["sha3_256", { algorithm: "sha3-256", bytes: 32 }],
  ["sha3_384", { algorithm: "sha3-384", bytes: 48 }],
]);
/** Length of a challenge without braces, with a response of 16 bytes: HMAC-MD5, as in Python 3.11 and earlier. */
const LEGACY_CHALLENGE_BYTES = 20;
const LEGACY_RESPONSE_BYTES = 16;

/** Returns the name in braces at the start, "" for the legacy form, undefined for neither. */
export function digestNameOf(message: Uint8Array): string | undefined {
  if (message.length === LEGACY_CHALLENGE_BYTES || message.length === LEGACY_RESPONSE_BYTES) return "";
  const name = /^\{([a-z0-9_]{1,8})\}/.exec(Buffer.from(message.subarray(0, 10)).toString("latin1"))?.[1];
  return name !== undefined && DIGESTS.has(name) ? name : undefined;
}

/** Returns the response to a challenge, in the form its sender understands; undefined if its form is unknown. */
export function respond(key: Uint8Array, challenge: Uint8Array): Uint8Array | undefined {
  const name = digestNameOf(challenge);
  if (name === undefined) return undefined;
  if (name === "") return hmac("md5", key, challenge);
  return Buffer.concat([Buffer.from(`{${name}}`, "latin1"), hmac(name, key, challenge)]);
}

/**
 * True if the response was made with the key. The MAC covers the name in braces of our challenge, so nobody in between
 * can make the sides use a weaker digest. A legacy client responds to a modern challenge with a bare HMAC-MD5.
 */
export function verifies(key: Uint8Array, challenge: Uint8Array, response: Uint8Array, allowLegacy: boolean): boolean {
  const name = digestNameOf(response);
  if (name === undefined) return false;
  if ((name === "" || name === "md5") && !allowLegacy) return false;
  const mac = name === "" ? response : response.subarray(name.length + 2);
  const expected = hmac(name === "" ? "md5" : name, key, challenge);
  return mac.length === expected.length && timingSafeEqual(mac, expected);
}

function hmac(name: string, key: Uint8Array, message: Uint8Array): Uint8Array {
  return createHmac(DIGESTS.get(name)?.algorithm ?? name, key)
    .update(message)
    .digest();
}
