import type { Load } from "./load.ts";

/** One way to echo. Each module beside this one is what a programmer would write who knows that library and nothing of ours. */
export interface EchoArm {
  /** Listens at a fresh address and returns what clients need. Absent where the client starts its peer itself. */
  serve?(directory: string): Promise<string>;
  /** Runs in a process started by `exchange` of the same arm; absent where there is none. */
  peer?(): Promise<void>;
  /** Sends all requests of the load, one after the other, and hands it the replies. */
  exchange(where: string, load: Load): Promise<void>;
}

export const ARMS: Readonly<Record<string, () => Promise<EchoArm>>> = {
  unix: async () => (await import("./unix.ts")).unix,
  "zeromq/dealer-router": async () => (await import("./zeromq.ts")).dealerRouter,
  "zeromq/req-rep": async () => (await import("./zeromq.ts")).reqRep,
  "zeromq/tcp": async () => (await import("./zeromq.ts")).tcp,
  "grpc/unary": async () => (await import("./grpc.ts")).unary,
  "grpc/stream": async () => (await import("./grpc.ts")).stream,
  "http/unix": async () => (await import("./http.ts")).http,
  "ws/unix": async () => (await import("./websocket.ts")).websocket,
  "jsonrpc/unix": async () => (await import("./json-rpc.ts")).jsonRpc,
  "channel/json": async () => (await import("./channel.ts")).json,
  "channel/advanced": async () => (await import("./channel.ts")).advanced,
  "worker/port": async () => (await import("./worker.ts")).port,
};
