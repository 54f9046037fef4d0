import type { Transport } from "./contract/transport.ts";

/** Entry of one transport in {@link REGISTRY}, the only list of transports. */
export interface Registration {
  readonly id: string;
  /** Name of the family. A protocol with a folder of its own belongs to the family of what carries it. */
  readonly family: string;
  /**
   * True if a plain `compare` runs it: one id per family without a broker, two of shared memory (one sleeps, one
   * polls); at most 12.
   */
  readonly shortlist: boolean;
  /** Imports the module of this mechanism and nothing else; its library is loaded by `probe` or on first use. */
  readonly load: () => Promise<Transport>;
}

type Load = Registration["load"];
const short = (id: string, family: string, load: Load): Registration => ({ id, family, shortlist: true, load });
const other = (id: string, family: string, load: Load): Registration => ({ id, family, shortlist: false, load });

export const REGISTRY: readonly Registration[] = [
  short("loopback", "loopback", async () => (await import("./loopback/loopback.ts")).loopback),
  short("local-socket", "sockets", async () => (await import("./sockets/local-socket.ts")).localSocket),
  other("unix", "sockets", async () => (await import("./sockets/unix.ts")).unix),
  other("tcp", "sockets", async () => (await import("./sockets/tcp.ts")).tcp),
  other("http/unix", "sockets", async () => (await import("./sockets/http.ts")).http),
  other("ws/unix", "sockets", async () => (await import("./sockets/websocket.ts")).websocket),
  // Available only on Windows; on other systems it is listed with the reason.
  other("named-pipe", "sockets", async () => (await import("./sockets/named-pipe.ts")).namedPipe),
  other("unix-dgram", "sockets", async () => (await import("./sockets/unix-dgram.ts")).unixDgram),
  other("unix-seqpacket", "sockets", async () => (await import("./sockets/unix-seqpacket.ts")).unixSeqpacket),
  short("fifo", "pipes", async () => (await import("./pipes/fifo.ts")).fifo),
  other("fifo/sync", "pipes", async () => (await import("./pipes/fifo-sync.ts")).fifoSync),
  other("stdio", "pipes", async () => (await import("./pipes/stdio.ts")).stdio),
  other("channel/advanced", "pipes", async () => (await import("./pipes/channel.ts")).channelAdvanced),
  other("channel/json", "pipes", async () => (await import("./pipes/channel.ts")).channelJson),
  other("worker/port", "pipes", async () => (await import("./pipes/worker.ts")).workerPort),
  other("http2/unix", "sockets", async () => (await import("./http2/http2.ts")).http2Unix),
  other("http2/stdio", "pipes", async () => (await import("./http2/http2.ts")).http2Stdio),
  other("jsonrpc/unix", "sockets", async () => (await import("./json-rpc/unix.ts")).jsonRpc),
  other("jsonrpc/stdio", "pipes", async () => (await import("./json-rpc/stdio.ts")).jsonRpcLines),
  other("jsonrpc/stdio-headers", "pipes", async () => (await import("./json-rpc/stdio.ts")).jsonRpcHeaders),
  short("shm/futex", "shared-memory", async () => (await import("./shared-memory/shared-memory.ts")).shmFutex),
  short("shm/spin", "shared-memory", async () => (await import("./shared-memory/shared-memory.ts")).shmSpin),
  other("shm/semaphore", "shared-memory", async () => (await import("./shared-memory/shared-memory.ts")).shmSemaphore),
  other("shm/adaptive", "shared-memory", async () => (await import("./shared-memory/shared-memory.ts")).shmAdaptive),
  other("mmap/futex", "shared-memory", async () => (await import("./shared-memory/shared-memory.ts")).mmapFutex),
  other(
    "mmap/semaphore",
    "shared-memory",
    async () => (await import("./shared-memory/shared-memory.ts")).mmapSemaphore,
  ),
  other("shm/doorbell", "shared-memory", async () => (await import("./shared-memory/doorbell.ts")).shmDoorbell),
  other("shm/descriptor", "shared-memory", async () => (await import("./shared-memory/descriptor.ts")).shmDescriptor),
  other("shm/memfd", "shared-memory", async () => (await import("./shared-memory/memfd.ts")).shmMemfd),
  other("worker/atomics", "shared-memory", async () => (await import("./shared-memory/atomics.ts")).workerAtomics),
  short("posix-mq", "message-queues", async () => (await import("./message-queues/posix-mq.ts")).posixMq),
  other("posix-mq/notify", "message-queues", async () => (await import("./message-queues/notify.ts")).posixMqNotify),
  short("zeromq/dealer-router", "zeromq", async () => (await import("./zeromq/zeromq.ts")).zeromqDealerRouter),
  other("zeromq/req-rep", "zeromq", async () => (await import("./zeromq/zeromq.ts")).zeromqReqRep),
  other("zeromq/pub-sub", "zeromq", async () => (await import("./zeromq/zeromq.ts")).zeromqPubSub),
  other("zeromq/pub-sub-drop", "zeromq", async () => (await import("./zeromq/zeromq.ts")).zeromqPubSubDrop),
  other("zeromq/tcp", "zeromq", async () => (await import("./zeromq/zeromq.ts")).zeromqTcp),
  short("grpc/stream", "grpc", async () => (await import("./grpc/grpc.ts")).grpcStream),
  other("grpc/unary", "grpc", async () => (await import("./grpc/grpc.ts")).grpcUnary),
  other("redis/list", "redis", async () => (await import("./redis/redis.ts")).redisList),
  other("redis/pub-sub", "redis", async () => (await import("./redis/redis.ts")).redisPubSub),
  short("file-drop/watch", "file-drop", async () => (await import("./file-drop/file-drop.ts")).fileDropWatch),
  other("file-drop/poll", "file-drop", async () => (await import("./file-drop/file-drop.ts")).fileDropPoll),
  short(
    "python-connection",
    "python-connection",
    async () => (await import("./python-connection/python-connection.ts")).pythonConnection,
  ),
  other(
    "python-connection/tcp",
    "python-connection",
    async () => (await import("./python-connection/python-connection.ts")).pythonConnectionTcp,
  ),
];
