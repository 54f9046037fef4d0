/**
 * POSIX shared memory, semaphores, message queues and futexes for Node on Linux (`ipcmark/posix`).
 * Importing it loads nothing and never fails; {@link posixAvailability} returns whether it works here.
 *
 * @experimental names and types may change in any version
 * @module
 */
export { IpcError, type IpcErrorCode, isIpcError } from "../contract/errors.ts";
export { currentCpu, getAffinity, setAffinity } from "./affinity.ts";
export { posixAvailability } from "./binding.ts";
export { errnoName, type SystemErrorCause } from "./errno.ts";
export { eventfd } from "./eventfd.ts";
export { type FfiFloor, ffiFloor } from "./floor.ts";
export { Futex, type FutexResult } from "./futex.ts";
export { isOwned, lockExclusive, tryLockExclusive } from "./lock.ts";
export { MappedFile } from "./mapped-file.ts";
export { Mapping } from "./mapping.ts";
export {
  MAX_PRIORITY,
  MessageQueue,
  type QueueAttributes,
  type QueueLimits,
  type QueueShape,
  queueCostBytes,
  queueLimits,
} from "./message-queue.ts";
export { Semaphore } from "./semaphore.ts";
export { SharedMemory } from "./shared-memory.ts";
export { getrusage, type ResourceUsage } from "./usage.ts";
