/** Address in this process. User addresses are below 2^52, so a number holds them exactly. */
export type Pointer = number;

export const NULL: Pointer = 0;
/** Result of a `mmap` that failed. */
export const MAP_FAILED: Pointer = -1;

/** Types of parameters and results. `size` is an unsigned 64-bit length; `offset` a 64-bit file offset. */
interface ValueTypes {
  readonly i32: number;
  readonly u32: number;
  readonly size: number;
  readonly offset: number;
  readonly pointer: Pointer;
  readonly buffer: Uint8Array;
  readonly string: string;
}
export type ValueType = keyof ValueTypes;

export interface Signature {
  readonly parameters: readonly ValueType[];
  readonly returns: "i32" | "pointer";
}

/**
 * Every function of the C library this project calls, declared once for all bindings. Returned `ssize_t` lengths are
 * declared `i32`: no call here moves 2 GiB, and a 64-bit result costs an allocation. Variadic functions (`mq_open`,
 * `sem_open`, `syscall`, `fcntl`) are called with a fixed list. The Linux calling conventions on x86-64 and AArch64
 * allow that, because integers and pointers are passed in the same registers either way.
 */
export const SYMBOLS = {
  __errno_location: { parameters: [], returns: "pointer" },
  getpid: { parameters: [], returns: "i32" },
  mmap: { parameters: ["pointer", "size", "i32", "i32", "i32", "offset"], returns: "pointer" },
  madvise: { parameters: ["pointer", "size", "i32"], returns: "i32" },
  munmap: { parameters: ["pointer", "size"], returns: "i32" },
  posix_fallocate: { parameters: ["i32", "offset", "offset"], returns: "i32" },
  flock: { parameters: ["i32", "i32"], returns: "i32" },
  memfd_create: { parameters: ["string", "u32"], returns: "i32" },
  // For commands whose argument is a number.
  fcntl: { parameters: ["i32", "i32", "i32"], returns: "i32" },
  shm_open: { parameters: ["string", "i32", "u32"], returns: "i32" },
  shm_unlink: { parameters: ["string"], returns: "i32" },
  sem_open: { parameters: ["string", "i32", "u32", "u32"], returns: "pointer" },
  sem_post: { parameters: ["pointer"], returns: "i32" },
  sem_trywait: { parameters: ["pointer"], returns: "i32" },
  sem_clockwait: { parameters: ["pointer", "i32", "pointer"], returns: "i32" },
  sem_close: { parameters: ["pointer"], returns: "i32" },
  sem_unlink: { parameters: ["string"], returns: "i32" },
  mq_open: { parameters: ["string", "i32", "u32", "pointer"], returns: "i32" },
  mq_send: { parameters: ["i32", "pointer", "size", "u32"], returns: "i32" },
  mq_timedsend: { parameters: ["i32", "pointer", "size", "u32", "pointer"], returns: "i32" },
  mq_timedreceive: { parameters: ["i32", "pointer", "size", "pointer", "pointer"], returns: "i32" },
  mq_getattr: { parameters: ["i32", "buffer"], returns: "i32" },
  mq_notify: { parameters: ["i32", "pointer"], returns: "i32" },
  mq_unlink: { parameters: ["string"], returns: "i32" },
  eventfd: { parameters: ["u32", "i32"], returns: "i32" },
  // For futexes, which need only these parameters for waiting and waking. The number is a `long`.
  syscall: { parameters: ["offset", "pointer", "i32", "u32", "pointer"], returns: "i32" },
  sched_getcpu: { parameters: [], returns: "i32" },
  sched_getaffinity: { parameters: ["i32", "size", "buffer"], returns: "i32" },
  sched_setaffinity: { parameters: ["i32", "size", "buffer"], returns: "i32" },
  getrusage: { parameters: ["i32", "buffer"], returns: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], returns: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], returns: "i32" },
  listen: { parameters: ["i32", "i32"], returns: "i32" },
  accept4: { parameters: ["i32", "pointer", "pointer", "i32"], returns: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], returns: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], returns: "i32" },
  poll: { parameters: ["pointer", "u32", "i32"], returns: "i32" },
  read: { parameters: ["i32", "pointer", "size"], returns: "i32" },
  write: { parameters: ["i32", "pointer", "size"], returns: "i32" },
  send: { parameters: ["i32", "pointer", "size", "i32"], returns: "i32" },
  recv: { parameters: ["i32", "pointer", "size", "i32"], returns: "i32" },
  sendmsg: { parameters: ["i32", "pointer", "i32"], returns: "i32" },
  recvmsg: { parameters: ["i32", "pointer", "i32"], returns: "i32" },
} as const satisfies Readonly<Record<string, Signature>>;
export type SymbolName = keyof typeof SYMBOLS;

type Arguments<P extends readonly ValueType[]> = { -readonly [I in keyof P]: ValueTypes[P[I]] };
export type Functions = {
  readonly [K in SymbolName]: (
    ...values: Arguments<(typeof SYMBOLS)[K]["parameters"]>
  ) => ValueTypes[(typeof SYMBOLS)[K]["returns"]];
};

export type BindingName = "koffi" | "ffi-rs";

/** The C library through one binding. */
export interface Libc extends Functions {
  readonly binding: BindingName;
  /** Returns `errno` of this thread; valid only right after a call that failed, before anything else runs. */
  errno(): number;
  /** Zero-copy writable view of foreign memory. The caller detaches it (`transfer(0)`) before the memory goes away. */
  view(pointer: Pointer, bytes: number): ArrayBuffer;
}
