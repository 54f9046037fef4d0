import { closeSync, fstatSync, ftruncateSync } from "node:fs";
import { constants } from "node:os";
import { IpcError } from "../contract/errors.ts";
import { libc } from "./binding.ts";
import { EINTR, errnoError } from "./errno.ts";
import { lockExclusive } from "./lock.ts";
import { Mapping } from "./mapping.ts";

export interface CreateOptions {
  /** True: hold an exclusive `flock` on the object, from before it has a size until it is closed. */
  readonly lock?: boolean;
}

/** An open, mapped object with a name: shared memory or a regular file, which differ in how a name is opened. */
export abstract class MappedObject implements Disposable {
  readonly name: string;
  readonly mapping: Mapping;
  /** Descriptor, open until `close`, for locks (see lock.ts). */
  readonly fd: number;
  #open = true;

  protected constructor(name: string, fd: number, mapping: Mapping) {
    this.name = name;
    this.fd = fd;
    this.mapping = mapping;
  }

  /** Unmaps (see {@link Mapping.close}); the object stays until it is unlinked. Idempotent. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.mapping.close();
    closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Sizes and maps a new object; closes the descriptor when that fails. */
export function mapNew(fd: number, subject: string, byteLength: number, options: CreateOptions): Mapping {
  return orClose(fd, () => {
    if (options.lock) lockExclusive(fd);
    reserve(fd, byteLength, subject);
    return Mapping.shared(fd, byteLength);
  });
}

/** Maps all of an existing object; closes the descriptor when that fails. @throws IpcError IPC_MALFORMED */
export function mapExisting(fd: number, subject: string, minimumBytes: number): Mapping {
  return orClose(fd, () => {
    const status = fstatSync(fd);
    if (!status.isFile() || status.size < minimumBytes) {
      throw new IpcError(
        "IPC_MALFORMED",
        `${subject} has ${status.size} bytes, expected a file or segment of at least ${minimumBytes}`,
      );
    }
    return Mapping.shared(fd, status.size);
  });
}

function orClose(fd: number, map: () => Mapping): Mapping {
  try {
    return map();
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Gives an empty file its size and memory, or throws ENOSPC; after `ftruncate` alone the first write could SIGBUS. */
function reserve(fd: number, byteLength: number, subject: string): void {
  // Above 2^53 the bindings would pass other numbers.
  if (!Number.isSafeInteger(byteLength) || byteLength <= 0) {
    const remedy = `${byteLength} is no size: give at least 1 byte, and a whole number below 2^53`;
    throw errnoError(constants.errno.EINVAL, "posix_fallocate", subject, remedy);
  }
  const api = libc();
  for (let attempt = 0; attempt < 100; attempt++) {
    const failure = api.posix_fallocate(fd, 0, byteLength);
    if (failure === 0) return;
    if (failure === EINTR) continue;
    ftruncateSync(fd, 0);
    throw errnoError(failure, "posix_fallocate", `${subject}, ${byteLength} bytes`);
  }
  throw errnoError(EINTR, "posix_fallocate", subject);
}
