import type { Transport } from "./contract/transport.ts";

/** One line per transport: the only list there is. */
export interface Registration {
  readonly id: string;
  /** Family: the folder it lies in. */
  readonly family: string;
  /** Shown by a plain `compare`: one id per family. */
  readonly shortlist: boolean;
  /** Imports the module of this mechanism and nothing else; its library is loaded by `probe` or on first use. */
  readonly load: () => Promise<Transport>;
}

export const REGISTRY: readonly Registration[] = [
  {
    id: "loopback",
    family: "loopback",
    shortlist: true,
    load: async () => (await import("./loopback/loopback.ts")).loopback,
  },
  { id: "unix", family: "sockets", shortlist: true, load: async () => (await import("./sockets/unix.ts")).unix },
  { id: "tcp", family: "sockets", shortlist: true, load: async () => (await import("./sockets/tcp.ts")).tcp },
  { id: "fifo", family: "pipes", shortlist: true, load: async () => (await import("./pipes/fifo.ts")).fifo },
  { id: "stdio", family: "pipes", shortlist: true, load: async () => (await import("./pipes/stdio.ts")).stdio },
  {
    id: "shm/futex",
    family: "shared-memory",
    shortlist: true,
    load: async () => (await import("./shared-memory/shared-memory.ts")).shmFutex,
  },
  {
    id: "shm/spin",
    family: "shared-memory",
    shortlist: true,
    load: async () => (await import("./shared-memory/shared-memory.ts")).shmSpin,
  },
  {
    id: "shm/semaphore",
    family: "shared-memory",
    shortlist: false,
    load: async () => (await import("./shared-memory/shared-memory.ts")).shmSemaphore,
  },
  {
    id: "shm/adaptive",
    family: "shared-memory",
    shortlist: false,
    load: async () => (await import("./shared-memory/shared-memory.ts")).shmAdaptive,
  },
  {
    id: "mmap/futex",
    family: "shared-memory",
    shortlist: false,
    load: async () => (await import("./shared-memory/shared-memory.ts")).mmapFutex,
  },
  {
    id: "mmap/semaphore",
    family: "shared-memory",
    shortlist: false,
    load: async () => (await import("./shared-memory/shared-memory.ts")).mmapSemaphore,
  },
  {
    id: "posix-mq",
    family: "message-queues",
    shortlist: true,
    load: async () => (await import("./message-queues/posix-mq.ts")).posixMq,
  },
  {
    id: "posix-mq/notify",
    family: "message-queues",
    shortlist: false,
    load: async () => (await import("./message-queues/notify.ts")).posixMqNotify,
  },
];
