/**
 * Exports of `ipcmark/testing`: what the author of a transport needs besides the contract, which `ipcmark` exports.
 * These are the conformance suite for a test runner of your choice, the header of the harness's messages, and the parts
 * of a transport over byte streams.
 */
export * from "../transports/contract/frame.ts";
export { streamCapabilities } from "../transports/support/capabilities.ts";
export { Deadline } from "../transports/support/deadline.ts";
export { distinctName } from "../transports/support/distinct-name.ts";
export { FrameWriter } from "../transports/support/frame-writer.ts";
export { launchRaw } from "../transports/support/launched-raw-client.ts";
export * from "../transports/support/length-prefix.ts";
export { aborted, checkOptions, withinLimit } from "../transports/support/opening.ts";
export { lockResidue, sweepLocks, withPathLock } from "../transports/support/path-lock.ts";
export { withPathLockSync } from "../transports/support/path-lock-sync.ts";
export { type PathTransportOptions, pathTransport } from "../transports/support/path-transport.ts";
export { listenPrivately } from "../transports/support/private-listener.ts";
export { inUse, listenAtPath, pathResidue, sweepPath } from "../transports/support/socket-path.ts";
export { checkSocketPath } from "../transports/support/socket-path-limit.ts";
export { connectRawSocket, connectStream, isListening } from "../transports/support/stream-client.ts";
export { StreamConnection, type StreamConnectionOptions } from "../transports/support/stream-connection.ts";
export { StreamServer, type StreamServerOptions } from "../transports/support/stream-server.ts";
export {
  CONFORMANCE_TIMEOUT_MS,
  type ConformanceTest,
  type ConformanceVerdict,
  conformanceTests,
} from "./conformance-suite.ts";
