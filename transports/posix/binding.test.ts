import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

const INDEX = join(import.meta.dirname, "index.ts");
const linux = process.platform === "linux";

/** Returns the state of the wrapper in a process of its own, where the `absent` packages cannot be found. */
function availability(override: string, absent: readonly string[] = []): unknown {
  const script = `
    import { createRequire, Module } from "node:module";
    const resolve = Module._resolveFilename;
    Module._resolveFilename = function (name, ...rest) {
      if (${JSON.stringify(absent)}.includes(name))
      throw new Error("Cannot find module '" + name + "'\\nRequire stack: …");
      return resolve.call(this, name, ...rest);
    };
    const { posixAvailability, Mapping } = await import(${JSON.stringify(INDEX)});
    const state = posixAvailability();
    if (state.available) Mapping.anonymous(64).close();
    console.log(JSON.stringify(state));`;
  const args = ["--input-type=module", "-e", script];
  const text = execFileSync(process.execPath, args, {
    encoding: "utf8",
    env: { ...process.env, IPCMARK_FFI: override },
  });
  return JSON.parse(text);
}

it.skipIf(!linux)(
  "IPCMARK_FFI with an unknown name makes the wrapper unavailable, in one sentence with the names",
  () => {
    expect(availability("node")).toEqual({
      available: false,
      reason: "IPCMARK_FFI=node names no binding to the C library: set it to koffi or ffi-rs, or unset it",
    });
  },
);

it.skipIf(!linux)("koffi is chosen by itself, and ffi-rs where koffi is not installed", () => {
  expect(availability("", ["koffi"])).toEqual({ available: true, version: "ffi-rs" });
  const installed = availability("koffi") as { available: boolean };
  expect(availability("")).toEqual({ available: true, version: installed.available ? "koffi" : "ffi-rs" });
});

it.skipIf(!linux)("a binding that was asked for and is not installed is named with its remedy, in one line", () => {
  expect(availability("koffi", ["koffi"])).toEqual({
    available: false,
    reason:
      "no binding to the C library can be loaded (koffi: Cannot find module 'koffi'): " +
      "run npm install koffi, or unset IPCMARK_FFI",
  });
});
