/** Formats a command for root as its reader has to type it: containers often have no sudo, and root needs none. */
export function asRoot(command: string): string {
  return process.getuid?.() === 0 ? command : `sudo ${command}`;
}

/** Remedy for each shortage a machine can have: the one source for errors, probes and `doctor`. */
export const REMEDIES = {
  descriptors: `ulimit -n $(ulimit -Hn), or ${asRoot("prlimit --pid $$ --nofile=65536:65536")}`,
  disk: "free some space there, or set TMPDIR to a directory with more",
  files: asRoot("sysctl fs.file-max=1000000"),
  inotifyInstances: asRoot("sysctl fs.inotify.max_user_instances=512"),
  inotifyWatches: asRoot("sysctl fs.inotify.max_user_watches=524288"),
  memory: "end what uses the memory; in a container: docker run --memory=2g …",
  processes: "ulimit -u $(ulimit -Hu); in a container: docker run --pids-limit=1024 …",
  queueBytes: `ulimit -q $(ulimit -Hq), or ${asRoot(`prlimit --pid $$ --msgqueue=${64 * 1024 * 1024}`)}`,
  queueCount: asRoot("sysctl fs.mqueue.queues_max=1024"),
  queueShape: asRoot("sysctl fs.mqueue.msg_max=64 fs.mqueue.msgsize_max=65536"),
  sharedMemory: `${asRoot("mount -o remount,size=1G /dev/shm")}; in a container: docker run --shm-size=1g …`,
} as const;

export type Resource = keyof typeof REMEDIES;

/** Errnos that mean a shortage of the machine or a limit set on it, each with the resource that it usually means. */
export const SHORTAGES: Readonly<Record<string, Resource>> = {
  EDQUOT: "disk",
  EMFILE: "descriptors",
  ENFILE: "files",
  ENOMEM: "memory",
  ENOSPC: "disk",
  ERR_WORKER_INIT_FAILED: "processes",
  ERR_WORKER_OUT_OF_MEMORY: "memory",
};

/**
 * Returns the resource that a failed call of Node lacked; undefined for other failures. The same errno means other
 * resources for `watch` and `spawn`, which have limits of their own.
 */
export function resourceOf({ code = "", syscall = "", path = "" }: NodeJS.ErrnoException): Resource | undefined {
  if (syscall === "watch" && code === "ENOSPC") return "inotifyWatches";
  if (syscall === "watch" && code === "EMFILE") return "inotifyInstances";
  if (syscall.startsWith("spawn") && code === "EAGAIN") return "processes";
  if (code === "ENOSPC" && path.startsWith("/dev/shm/")) return "sharedMemory";
  return SHORTAGES[code];
}
