import { IpcError } from "../contract/errors.ts";
import type { Availability } from "../contract/transport.ts";
import { bindFfiRs } from "./ffi-rs.ts";
import { bindKoffi } from "./koffi.ts";
import type { BindingName, Libc } from "./libc.ts";

const OVERRIDE = "IPCMARK_FFI";
/** Bindings in order of preference: a call through koffi costs a fiftieth of a call through ffi-rs. */
const BINDINGS: readonly (readonly [BindingName, () => Libc])[] = [
  ["koffi", bindKoffi],
  ["ffi-rs", bindFfiRs],
];

/** Result of loading, which happens once per thread. A failure is kept too, so every caller gets the same reason. */
let loaded: Libc | Error | undefined;

/**
 * Returns the C library of this process.
 *
 * @throws IpcError IPC_UNSUPPORTED if there is no POSIX or no binding loads; the message states the reason.
 */
export function libc(): Libc {
  loaded ??= load();
  if (loaded instanceof Error) throw new IpcError("IPC_UNSUPPORTED", loaded.message, { cause: loaded });
  return loaded;
}

/** Returns whether {@link libc} works here. Never throws. */
export function posixAvailability(): Availability {
  loaded ??= load();
  if (loaded instanceof Error) return { available: false, reason: loaded.message };
  return { available: true, version: loaded.binding };
}

function load(): Libc | Error {
  if (process.platform !== "linux") {
    return new Error(`the POSIX wrapper supports Linux; this is ${process.platform}`);
  }
  const asked = process.env[OVERRIDE] || undefined;
  const candidates = BINDINGS.filter(([name]) => asked === undefined || name === asked);
  if (candidates.length === 0) {
    const names = BINDINGS.map(([name]) => name).join(" or ");
    return new Error(`${OVERRIDE}=${asked} names no binding to the C library: set it to ${names}, or unset it`);
  }
  const reasons: string[] = [];
  for (const [name, bind] of candidates) {
    try {
      return bind();
    } catch (error) {
      const [reason] = (error instanceof Error ? error.message : String(error)).split("\n");
      reasons.push(`${name}: ${reason}`);
    }
  }
  const install = `run npm install ${candidates.map(([name]) => name).join(" ")}`;
  const remedy = asked === undefined ? install : `${install}, or unset ${OVERRIDE}`;
  return new Error(`no binding to the C library can be loaded (${reasons.join("; ")}): ${remedy}`);
}
