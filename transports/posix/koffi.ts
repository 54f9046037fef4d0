import { createRequire } from "node:module";
import { type Functions, type Libc, SYMBOLS, type ValueType } from "./libc.ts";

type Koffi = typeof import("koffi");

// Addresses are integers here, not `void *`: then they are passed as numbers, and 64-bit results return as numbers.
const TYPES: Readonly<Record<ValueType, string>> = {
  i32: "int32_t",
  u32: "uint32_t",
  size: "size_t",
  offset: "int64_t",
  pointer: "int64_t",
  buffer: "void *",
  string: "const char *",
};

/** Loads the preferred binding: koffi, a prebuilt Node-API addon, about 30 nanoseconds per call. */
export function bindKoffi(): Libc {
  const koffi = createRequire(import.meta.url)("koffi") as Koffi;
  // null means the running process, which has the C library loaded already.
  const library = koffi.load(null);
  const bound = Object.entries(SYMBOLS).map(([name, { parameters, returns }]) => [
    name,
    library.func(
      name,
      TYPES[returns],
      parameters.map((type) => TYPES[type]),
    ),
  ]);
  const functions = Object.fromEntries(bound) as Functions;
  // Costs half as much as `koffi.errno()`.
  const errno = new Int32Array(koffi.view(functions.__errno_location(), 4));
  return { ...functions, binding: "koffi", errno: () => errno[0] as number, view: koffi.view };
}
