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
  {
    id: "named-pipe",
    family: "sockets",
    shortlist: true,
    load: async () => (await import("./sockets/named-pipe.ts")).namedPipe,
  },
  {
    id: "python-connection",
    family: "python-connection",
    shortlist: true,
    load: async () => (await import("./python-connection/python-connection.ts")).pythonConnection,
  },
  {
    id: "python-connection/tcp",
    family: "python-connection",
    shortlist: false,
    load: async () => (await import("./python-connection/python-connection.ts")).pythonConnectionTcp,
  },
  {
    id: "file-drop/watch",
    family: "file-drop",
    shortlist: true,
    load: async () => (await import("./file-drop/file-drop.ts")).fileDropWatch,
  },
  {
    id: "file-drop/poll",
    family: "file-drop",
    shortlist: false,
    load: async () => (await import("./file-drop/file-drop.ts")).fileDropPoll,
  },
  { id: "tcp", family: "sockets", shortlist: true, load: async () => (await import("./sockets/tcp.ts")).tcp },
  { id: "fifo", family: "pipes", shortlist: true, load: async () => (await import("./pipes/fifo.ts")).fifo },
  { id: "stdio", family: "pipes", shortlist: true, load: async () => (await import("./pipes/stdio.ts")).stdio },
  {
    id: "zeromq/dealer-router",
    family: "zeromq",
    shortlist: true,
    load: async () => (await import("./zeromq/zeromq.ts")).zeromqDealerRouter,
  },
  {
    id: "zeromq/req-rep",
    family: "zeromq",
    shortlist: false,
    load: async () => (await import("./zeromq/zeromq.ts")).zeromqReqRep,
  },
  {
    id: "zeromq/pub-sub",
    family: "zeromq",
    shortlist: false,
    load: async () => (await import("./zeromq/zeromq.ts")).zeromqPubSub,
  },
  {
    id: "zeromq/pub-sub-drop",
    family: "zeromq",
    shortlist: false,
    load: async () => (await import("./zeromq/zeromq.ts")).zeromqPubSubDrop,
  },
  {
    id: "zeromq/tcp",
    family: "zeromq",
    shortlist: false,
    load: async () => (await import("./zeromq/zeromq.ts")).zeromqTcp,
  },
  { id: "http/unix", family: "sockets", shortlist: true, load: async () => (await import("./sockets/http.ts")).http },
  {
    id: "ws/unix",
    family: "sockets",
    shortlist: false,
    load: async () => (await import("./sockets/websocket.ts")).websocket,
  },
  {
    id: "jsonrpc/unix",
    family: "sockets",
    shortlist: false,
    load: async () => (await import("./sockets/json-rpc.ts")).jsonRpc,
  },
  { id: "grpc/stream", family: "grpc", shortlist: true, load: async () => (await import("./grpc/grpc.ts")).grpcStream },
  { id: "grpc/unary", family: "grpc", shortlist: false, load: async () => (await import("./grpc/grpc.ts")).grpcUnary },
  {
    id: "channel/advanced",
    family: "pipes",
    shortlist: true,
    load: async () => (await import("./pipes/channel.ts")).channelAdvanced,
  },
  {
    id: "channel/json",
    family: "pipes",
    shortlist: false,
    load: async () => (await import("./pipes/channel.ts")).channelJson,
  },
  {
    id: "worker/port",
    family: "pipes",
    shortlist: false,
    load: async () => (await import("./pipes/worker.ts")).workerPort,
  },
];
