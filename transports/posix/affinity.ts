import { libc } from "./binding.ts";
import { systemError } from "./errno.ts";

/** Size of the C library's `cpu_set_t`: 1024 CPUs. */
const MASK_BYTES = 128;

/** Lists the CPU numbers that the calling thread (or thread `tid`) may run on, ascending. */
export function getAffinity(tid = 0): number[] {
  const api = libc();
  const mask = Buffer.alloc(MASK_BYTES);
  if (api.sched_getaffinity(tid, MASK_BYTES, mask) < 0) throw systemError(api, "sched_getaffinity", `thread ${tid}`);
  const cpus: number[] = [];
  for (let cpu = 0; cpu < MASK_BYTES * 8; cpu++) {
    if (((mask[cpu >>> 3] as number) >>> (cpu & 7)) & 1) cpus.push(cpu);
  }
  return cpus;
}

/**
 * Pins one thread; 0 is the calling one. The other threads of the process (garbage collector, compiler, I/O) are not
 * affected. To pin a whole process, pin its parent before it spawns, since children inherit the mask.
 */
export function setAffinity(cpus: readonly number[], tid = 0): void {
  const api = libc();
  const mask = Buffer.alloc(MASK_BYTES);
  for (const cpu of cpus) {
    if (!Number.isInteger(cpu) || cpu < 0 || cpu >= MASK_BYTES * 8) throw new RangeError(`${cpu} is no CPU number`);
    mask[cpu >>> 3] = (mask[cpu >>> 3] as number) | (1 << (cpu & 7));
  }
  if (api.sched_setaffinity(tid, MASK_BYTES, mask) !== 0) {
    throw systemError(api, "sched_setaffinity", `CPUs ${cpus.join(",")}`);
  }
}

/** Returns the CPU this thread runs on at this moment. */
export function currentCpu(): number {
  return libc().sched_getcpu();
}
