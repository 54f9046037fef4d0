import { IpcError } from "../contract/errors.ts";
import type { Availability } from "../contract/transport.ts";
import { bindFfiRs } from "./ffi-rs.ts";
import type { BindingName, Libc } from "./libc.ts";
import { bindNodeFfi } from "./node-ffi.ts";

const OVERRIDE = "IPCMARK_FFI";

/** Loaded once per thread; a failure is kept too, so that every caller hears the same reason. */
let loaded: Libc | Error | undefined;

/**
 * The C library of this process.
 *
 * @throws IpcError IPC_UNSUPPORTED where there is no POSIX or no binding loads; the message says which and why.
 */
export function libc(): Libc {
  loaded ??= load();
  if (loaded instanceof Error) throw new IpcError("IPC_UNSUPPORTED", loaded.message, { cause: loaded });
  return loaded;
}

/** Whether {@link libc} works here. Never throws. */
export function posixAvailability(): Availability {
  loaded ??= load();
  if (loaded instanceof Error) return { available: false, reason: loaded.message };
  return { available: true, version: loaded.binding };
}

function load(): Libc | Error {
  if (process.platform !== "linux") {
    return new Error(`the POSIX wrapper supports Linux; this is ${process.platform}`);
  }
  const reasons: string[] = [];
  for (const [name, bind] of candidates(process.env[OVERRIDE])) {
    try {
      return bind();
    } catch (error) {
      reasons.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const asked = process.env[OVERRIDE];
  const remedy = asked
    ? `${OVERRIDE}=${asked} allows only that one; unset it, or use ffi-rs or node`
    : "run npm install ffi-rs, or use Node 26.1 or later";
  return new Error(`no binding to the C library loads (${reasons.join("; ") || "none is named so"}): ${remedy}`);
}

/** node:ffi first: a call through it costs a tenth. */
function candidates(override: string | undefined): [BindingName, () => Libc][] {
  const all: [BindingName, () => Libc][] = [
    ["node:ffi", bindNodeFfi],
    ["ffi-rs", bindFfiRs],
  ];
  if (override === undefined || override === "") return all;
  return all.filter(([name]) => name === override || (override === "node" && name === "node:ffi"));
}
