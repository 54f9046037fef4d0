import type { EchoArm } from "./arm.ts";

export const ARMS: Readonly<Record<string, () => Promise<EchoArm>>> = {
  unix: async () => (await import("./unix.ts")).unix,
  "unix-seqpacket": async () => (await import("./seqpacket.ts")).seqpacket,
  "zeromq/dealer-router": async () => (await import("./zeromq.ts")).dealerRouter,
  "zeromq/req-rep": async () => (await import("./zeromq.ts")).reqRep,
  "zeromq/tcp": async () => (await import("./zeromq.ts")).tcp,
  "grpc/unary": async () => (await import("./grpc.ts")).unary,
  "grpc/stream": async () => (await import("./grpc.ts")).stream,
  "http/unix": async () => (await import("./http.ts")).http,
  "http2/unix": async () => (await import("./http2.ts")).unix,
  "http2/stdio": async () => (await import("./http2.ts")).stdio,
  "ws/unix": async () => (await import("./websocket.ts")).websocket,
  "jsonrpc/unix": async () => (await import("./json-rpc.ts")).jsonRpc,
  "jsonrpc/stdio": async () => (await import("./json-rpc-stdio.ts")).lines,
  "jsonrpc/stdio-headers": async () => (await import("./json-rpc-stdio.ts")).headers,
  "redis/list": async () => (await import("./redis.ts")).list,
  "redis/pub-sub": async () => (await import("./redis.ts")).pubSub,
  "channel/json": async () => (await import("./channel.ts")).json,
  "channel/advanced": async () => (await import("./channel.ts")).advanced,
  "worker/atomics": async () => (await import("./atomics.ts")).atomics,
  "worker/port": async () => (await import("./worker.ts")).port,
};
