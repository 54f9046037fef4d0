import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Programs to copy: a client and a server of one mechanism, in plain Node. */
export interface Example {
  /** Folder below `transports`. */
  readonly folder: string;
  /** Mechanism that the programs use. */
  readonly shows: string;
}

interface Programs {
  readonly folder: string;
  /** Ids that the programs show; the first is named where they stand for another one. */
  readonly ids: readonly [string, ...string[]];
  /** Ids without programs of their own, to which these are nearest. */
  readonly near?: readonly string[];
}

const EXAMPLES: readonly Programs[] = [
  {
    folder: "sockets/example",
    ids: ["unix", "local-socket", "tcp", "named-pipe"],
    near: ["unix-seqpacket", "unix-dgram", "http/unix", "ws/unix"],
  },
  { folder: "pipes/example/fifo", ids: ["fifo"], near: ["fifo/sync"] },
  {
    folder: "pipes/example/stdio",
    ids: ["stdio"],
    near: ["channel/advanced", "channel/json", "worker/port", "loopback"],
  },
  { folder: "http2/example", ids: ["http2/unix"], near: ["http2/stdio"] },
  { folder: "json-rpc/example", ids: ["jsonrpc/stdio"], near: ["jsonrpc/stdio-headers", "jsonrpc/unix"] },
  {
    folder: "shared-memory/example",
    ids: ["shm/futex"],
    near: [
      ...["shm/spin", "shm/semaphore", "shm/adaptive", "shm/doorbell", "shm/descriptor"],
      ...["shm/memfd", "worker/atomics", "mmap/futex", "mmap/semaphore"],
    ],
  },
  { folder: "message-queues/example", ids: ["posix-mq"], near: ["posix-mq/notify"] },
  {
    folder: "zeromq/example",
    ids: ["zeromq/dealer-router"],
    near: ["zeromq/req-rep", "zeromq/tcp", "zeromq/pub-sub", "zeromq/pub-sub-drop"],
  },
  { folder: "grpc/example", ids: ["grpc/unary"], near: ["grpc/stream"] },
  { folder: "redis/example", ids: ["redis/list"], near: ["redis/pub-sub"] },
  { folder: "file-drop/example", ids: ["file-drop/watch", "file-drop/poll"] },
  { folder: "python-connection/example", ids: ["python-connection"], near: ["python-connection/tcp"] },
];

/** Returns the example for an id of the registry; undefined for a module of the user's. */
export function exampleOf(id: string): Example | undefined {
  const found = EXAMPLES.find(({ ids, near = [] }) => [...ids, ...near].includes(id));
  return found && { folder: found.folder, shows: found.ids.includes(id) ? id : found.ids[0] };
}

/** Returns the path of an example on this machine: in the clone, or in the installed package. */
export function exampleDirectory({ folder }: Example): string {
  const here = dirname(fileURLToPath(import.meta.url));
  // The build goes to `dist/transports`. Examples are not built: they lie beside `dist`, to be read where they are.
  const isBuilt = import.meta.url.endsWith(".js");
  return join(here, isBuilt ? "../../transports" : ".", folder);
}
