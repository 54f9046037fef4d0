import { createRequire } from "node:module";
import { type Functions, type Libc, type Pointer, type Signature, SYMBOLS, type ValueType } from "./libc.ts";

type FfiRs = typeof import("ffi-rs");
type Call = (...values: unknown[]) => unknown;

const LIBRARY = "c";

/** Loads the second binding, which installs everywhere: ffi-rs, about 2 to 4 microseconds per call. */
export function bindFfiRs(): Libc {
  const ffi = createRequire(import.meta.url)("ffi-rs") as FfiRs;
  const { DataType } = ffi;
  const types: Record<ValueType, number> = {
    i32: DataType.I32,
    u32: DataType.U32,
    size: DataType.U64,
    offset: DataType.I64,
    pointer: DataType.I64,
    buffer: DataType.U8Array,
    string: DataType.String,
  };
  // An empty path means the running process, which has the C library loaded already.
  ffi.open({ library: LIBRARY, path: "" });

  /** Builds the parameter object once per symbol: `load` with a kept object costs half as much as `define`. */
  function bind(name: string, signature: Signature): Call {
    const call = {
      library: LIBRARY,
      funcName: name,
      retType: types[signature.returns],
      paramsType: signature.parameters.map((type) => types[type]),
      paramsValue: [] as unknown[],
    };
    const buffers = signature.parameters.indexOf("buffer");
    return (...values) => {
      if (buffers >= 0) values[buffers] = asBuffer(values[buffers] as Uint8Array);
      call.paramsValue = values;
      return ffi.load(call as never);
    };
  }

  const bound = Object.fromEntries(Object.entries(SYMBOLS).map(([name, signature]) => [name, bind(name, signature)]));
  const functions = bound as unknown as Functions;

  /** Makes a view. Pointers travel as numbers until here, because an `External` leaks 160 to 260 bytes. */
  function view(pointer: Pointer, bytes: number): ArrayBuffer {
    const external = ffi.load({
      library: LIBRARY,
      funcName: "memcpy",
      retType: DataType.External,
      paramsType: [DataType.I64, DataType.I64, DataType.U64],
      paramsValue: [pointer, pointer, 0],
    } as never);
    const buffer = ffi.createExternalBuffer(external as never, bytes);
    // Some runtimes forbid external buffers and return a copy or a slice, which does not show the memory.
    if (buffer.byteOffset !== 0 || buffer.buffer.byteLength !== bytes) {
      throw new Error("this runtime cannot make a zero-copy view of native memory");
    }
    return buffer.buffer as ArrayBuffer;
  }

  const errno = new Int32Array(view(functions.__errno_location(), 4));
  return {
    ...functions,
    binding: "ffi-rs",
    errno: () => errno[0] as number,
    view,
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
