import { createHmac, timingSafeEqual } from "../support/crypto.ts";

/** What Python 3.12 and later accept in braces; OpenSSL's names for the same, and the length of their results. */
const DIGESTS: ReadonlyMap<string, { readonly algorithm: string; readonly bytes: number }> = new Map([
  ["md5", { algorithm: "md5", bytes: 16 }],
  ["sha256", { algorithm: "sha256", bytes: 32 }],
  ["sha384", { algorithm: "sha384", bytes: 48 }],
  ["sha3_256", { algorithm: "sha3-256", bytes: 32 }],
  ["sha3_384", { algorithm: "sha3-384", bytes: 48 }],
]);
/** A challenge of 20 bytes and a response of 16 have no braces: HMAC-MD5, all that Python 3.11 and earlier know. */
const LEGACY_CHALLENGE_BYTES = 20;
const LEGACY_RESPONSE_BYTES = 16;

/** The name in braces at the start, "" for the legacy form, undefined for what is neither. */
export function digestNameOf(message: Uint8Array): string | undefined {
  if (message.length === LEGACY_CHALLENGE_BYTES || message.length === LEGACY_RESPONSE_BYTES) return "";
  const name = /^\{([a-z0-9_]{1,8})\}/.exec(Buffer.from(message.subarray(0, 10)).toString("latin1"))?.[1];
  return name !== undefined && DIGESTS.has(name) ? name : undefined;
}

/** The answer to a challenge, in the form that whoever made it understands; undefined when the challenge is in no known form. */
export function respond(key: Uint8Array, challenge: Uint8Array): Uint8Array | undefined {
  const name = digestNameOf(challenge);
  if (name === undefined) return undefined;
  if (name === "") return hmac("md5", key, challenge);
  return Buffer.concat([Buffer.from(`{${name}}`, "latin1"), hmac(name, key, challenge)]);
}

/**
 * Whether the response was made with the key. The MAC covers the name in braces of our challenge, so nobody in between
 * can talk the two sides down to a weaker digest; a legacy client answers a modern challenge with a bare HMAC-MD5.
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
