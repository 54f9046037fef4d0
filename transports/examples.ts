import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Programs to copy: a client and a server of one mechanism, in plain Node. */
export interface Example {
  /** Folder below `transports`. */
  readonly folder: string;
  /** Mechanism that the programs use. */
  readonly shows: string;
  /** Difference from the mechanism that was asked for; absent where the programs show that one. */
  readonly differs?: string;
}

interface Programs {
  readonly folder: string;
  /** Ids that the programs show; the first is named where they stand for another one. */
  readonly ids: readonly [string, ...string[]];
  /** Ids without programs of their own, to which these are nearest, each with what differs. */
  readonly near?: Readonly<Record<string, string>>;
}

const NOT_IN_NODE = "Node has no such sockets, so the calls are those of the C library";

const EXAMPLES: readonly Programs[] = [
  {
    folder: "sockets/example/stream",
    ids: ["unix", "local-socket", "tcp", "named-pipe"],
    near: {
      "unix-seqpacket": `the kernel keeps the boundaries, so there is no framing; ${NOT_IN_NODE}`,
      "unix-dgram": `each client binds a path of its own for replies, and there is no framing; ${NOT_IN_NODE}`,
    },
  },
  { folder: "sockets/example/http", ids: ["http/unix"] },
  { folder: "sockets/example/ws", ids: ["ws/unix"] },
  {
    folder: "pipes/example/fifo",
    ids: ["fifo"],
    near: { "fifo/sync": "its calls block until the reply is there, and return it" },
  },
  {
    folder: "pipes/example/stdio",
    ids: ["stdio"],
    near: { loopback: "both ends are in one process, so a message is a function call" },
  },
  {
    folder: "pipes/example/channel",
    ids: ["channel/advanced"],
    near: {
      "channel/json": 'leave out `serialization: "advanced"`, and send texts, since JSON has no bytes',
      "worker/port": "the server is a thread (`new Worker`), with the same `postMessage` and `message` at both ends",
    },
  },
  {
    folder: "http2/example",
    ids: ["http2/unix"],
    near: { "http2/stdio": "the client starts the server, and the session runs over its standard streams" },
  },
  {
    folder: "json-rpc/example",
    ids: ["jsonrpc/stdio"],
    near: {
      "jsonrpc/stdio-headers": "a `Content-Length` header precedes each message, instead of a line end behind it",
      "jsonrpc/unix": "the same lines over a Unix socket, whose place and permissions the example of unix shows",
    },
  },
  {
    folder: "shared-memory/example",
    ids: ["shm/futex"],
    near: {
      "shm/spin": "an end reads the word again and again instead of sleeping, and uses a whole CPU",
      "shm/semaphore": "named semaphores wake the other end instead of a futex",
      "shm/adaptive": "an end reads the word for 20 µs before it sleeps",
      "shm/doorbell": "a byte through a Unix socket wakes the event loop of the other end, so no call blocks",
      "shm/descriptor": "messages stay where they are, and a Unix socket carries the place and length of each",
      "shm/memfd": "the memory has no name: its descriptor is passed through a Unix socket, whose bytes also wake",
      "worker/atomics": "the ends are threads of one process, with a SharedArrayBuffer and `Atomics.waitAsync`",
      "mmap/futex": "the memory is a file that both map (`MappedFile`)",
      "mmap/semaphore": "the memory is a file that both map (`MappedFile`), and named semaphores wake",
    },
  },
  {
    folder: "message-queues/example",
    ids: ["posix-mq"],
    near: { "posix-mq/notify": "a signal of the kernel tells the event loop of a message, so no call blocks" },
  },
  {
    folder: "zeromq/example",
    ids: ["zeromq/dealer-router"],
    near: {
      "zeromq/req-rep": "the client is a Request socket: one request at a time, without a tag",
      "zeromq/tcp": "the endpoint is `tcp://127.0.0.1:<port>`, to which every user of the machine can connect",
      "zeromq/pub-sub": "a Publisher sends to all Subscribers, with `noDrop`: a slow one slows the sender",
      "zeromq/pub-sub-drop": "a Publisher sends to all Subscribers, and a slow one loses messages",
    },
  },
  {
    folder: "grpc/example",
    ids: ["grpc/unary"],
    near: { "grpc/stream": "one bidirectional call carries all messages, so each needs an id" },
  },
  {
    folder: "redis/example",
    ids: ["redis/list"],
    near: { "redis/pub-sub": "`publish` and `subscribe`: a message for which nobody waits at that moment is lost" },
  },
  { folder: "file-drop/example", ids: ["file-drop/watch", "file-drop/poll"] },
  {
    folder: "python-connection/example",
    ids: ["python-connection"],
    near: { "python-connection/tcp": "the address is a port of 127.0.0.1, which only the key protects" },
  },
];

/** Returns the example for an id of the registry; undefined for a module of the user's. */
export function exampleOf(id: string): Example | undefined {
  const found = EXAMPLES.find(({ ids, near = {} }) => ids.includes(id) || Object.hasOwn(near, id));
  if (found === undefined) return undefined;
  const { folder, ids, near } = found;
  const differs = near?.[id];
  return differs === undefined ? { folder, shows: id } : { folder, shows: ids[0], differs };
}

/** Returns the path of an example on this machine: in the clone, or in the installed package. */
export function exampleDirectory({ folder }: Example): string {
  const here = dirname(fileURLToPath(import.meta.url));
  // The build goes to `dist/transports`. Examples are not built: they lie beside `dist`, to be read where they are.
  const isBuilt = import.meta.url.endsWith(".js");
  return join(here, isBuilt ? "../../transports" : ".", folder);
}
