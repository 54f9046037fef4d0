import { createRequire } from "node:module";
import { IpcError } from "../contract/errors.ts";
import type { Availability } from "../contract/transport.ts";

type Koffi = typeof import("koffi");

/** Handle or address. Both are below 2^52, so a number holds them exactly. */
export type Handle = number;

export const NULL: Handle = 0;
/** The result of `CreateFileW` that failed, and the file of a section that has none. */
export const INVALID_HANDLE: Handle = -1;

/** Types of parameters and results. Handles and addresses are integers here, so that they are passed as numbers. */
const TYPES = {
  i32: "int32_t",
  u32: "uint32_t",
  size: "size_t",
  handle: "int64_t",
  buffer: "void *",
  text: "str16",
} as const;
interface ValueTypes {
  readonly i32: number;
  readonly u32: number;
  readonly size: number;
  readonly handle: Handle;
  readonly buffer: Uint8Array;
  readonly text: string | null;
}

/** Every function of kernel32.dll that this project calls. Pointers that are always null are declared as handles. */
const SYMBOLS = {
  CloseHandle: { parameters: ["handle"], returns: "i32" },
  CreateFileMappingW: { parameters: ["handle", "handle", "u32", "u32", "u32", "text"], returns: "handle" },
  CreateFileW: { parameters: ["text", "u32", "u32", "handle", "u32", "u32", "handle"], returns: "handle" },
  CreateMutexW: { parameters: ["handle", "i32", "text"], returns: "handle" },
  CreateSemaphoreW: { parameters: ["handle", "i32", "i32", "text"], returns: "handle" },
  GetLastError: { parameters: [], returns: "u32" },
  MapViewOfFile: { parameters: ["handle", "u32", "u32", "u32", "size"], returns: "handle" },
  OpenFileMappingW: { parameters: ["u32", "i32", "text"], returns: "handle" },
  OpenMutexW: { parameters: ["u32", "i32", "text"], returns: "handle" },
  OpenSemaphoreW: { parameters: ["u32", "i32", "text"], returns: "handle" },
  ReleaseMutex: { parameters: ["handle"], returns: "i32" },
  ReleaseSemaphore: { parameters: ["handle", "i32", "handle"], returns: "i32" },
  UnmapViewOfFile: { parameters: ["handle"], returns: "i32" },
  VirtualQuery: { parameters: ["handle", "buffer", "size"], returns: "size" },
  WaitForSingleObject: { parameters: ["handle", "u32"], returns: "u32" },
} as const;

type Arguments<P extends readonly (keyof ValueTypes)[]> = { -readonly [I in keyof P]: ValueTypes[P[I]] };
type Functions = {
  readonly [K in keyof typeof SYMBOLS]: (
    ...values: Arguments<(typeof SYMBOLS)[K]["parameters"]>
  ) => ValueTypes[(typeof SYMBOLS)[K]["returns"]];
};

/** The functions of kernel32.dll, through koffi. `GetLastError` is valid right after a call: koffi keeps its value. */
export interface Kernel32 extends Functions {
  /** Zero-copy writable view of foreign memory. The caller detaches it (`transfer(0)`) before the memory goes away. */
  view(address: Handle, bytes: number): ArrayBuffer;
}

/** Result of loading, which happens once per thread. A failure is kept too, so every caller gets the same reason. */
let loaded: Kernel32 | Error | undefined;

/** Returns the functions. @throws IpcError IPC_UNSUPPORTED on another system, or if koffi does not load */
export function kernel32(): Kernel32 {
  loaded ??= load();
  if (loaded instanceof Error) throw new IpcError("IPC_UNSUPPORTED", loaded.message, { cause: loaded });
  return loaded;
}

/** Returns whether {@link kernel32} works here. Never throws. */
export function windowsAvailability(): Availability {
  loaded ??= load();
  if (loaded instanceof Error) return { available: false, reason: loaded.message };
  return { available: true, version: "koffi" };
}

function load(): Kernel32 | Error {
  if (process.platform !== "win32")
    return new Error(`kernel32.dll exists on Windows only; this is ${process.platform}`);
  try {
    const koffi = createRequire(import.meta.url)("koffi") as Koffi;
    const library = koffi.load("kernel32.dll");
    const bound = Object.entries(SYMBOLS).map(([name, { parameters, returns }]) => [
      name,
      library.func(
        "__stdcall",
        name,
        TYPES[returns],
        parameters.map((type) => TYPES[type]),
      ),
    ]);
    return { ...(Object.fromEntries(bound) as Functions), view: koffi.view };
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split("\n");
    return new Error(`kernel32.dll cannot be called (koffi: ${reason}): run npm install koffi`);
  }
}
