import { type OnReadOpts, Socket } from "node:net";
import { unixSocket } from "../posix/unix-socket.ts";

/** The part of Node's internal pipe handle used here. */
interface PipeHandle {
  open(fd: number): number | undefined;
  listen(backlog: number): number | undefined;
  close(): void;
  onconnection?: (status: number, newcomer: PipeHandle | undefined) => void;
}
type PipeConstructor = new (type: number) => PipeHandle;

const SOCKET_TYPE = 0;
const SERVER_TYPE = 1;
let pipeConstructor: PipeConstructor | undefined;

/**
 * Opens a stream on a descriptor that `net.Socket({ fd })` refuses, such as a datagram socket or an eventfd. Each
 * `data` event is one read. Node has no public way, so this takes the constructor of the internal handle from an
 * ordinary socket. Nothing else here uses Node's internals (checked on Node 22, 24 and 26).
 *
 * The stream owns the descriptor: `destroy` closes it.
 */
export function adoptDescriptor(fd: number, options: AdoptOptions = {}): Socket {
  return socketOf(openHandle(fd, SOCKET_TYPE), options);
}

/** Options of the stream: see `net.Socket`. */
export interface AdoptOptions {
  readonly allowHalfOpen?: boolean;
  readonly onread?: OnReadOpts;
}

/** Makes the stream of a newcomer; to be called at once, or never, and then the newcomer is refused. */
export type Admit = (options: AdoptOptions) => Socket;

/**
 * Accepts connections on a bound socket of a kind that `net.Server` refuses, such as SOCK_SEQPACKET.
 *
 * @param fd owned by the result: its `close` closes it
 */
export function acceptOnDescriptor(fd: number, backlog: number, onNewcomer: (admit: Admit) => void): { close(): void } {
  const handle = openHandle(fd, SERVER_TYPE);
  handle.onconnection = (status, newcomer) => {
    // Accepting fails when no descriptor is left; the newcomer then sees its connection end.
    if (status !== 0 || newcomer === undefined) return;
    let admitted = false;
    onNewcomer((options) => {
      admitted = true;
      return socketOf(newcomer, options);
    });
    if (!admitted) newcomer.close();
  };
  const failure = handle.listen(backlog);
  if (failure) {
    handle.close();
    throw new Error(`the descriptor ${fd} cannot accept connections: ${failure}`);
  }
  return { close: () => handle.close() };
}

function openHandle(fd: number, type: number): PipeHandle {
  pipeConstructor ??= findConstructor();
  const handle = new pipeConstructor(type);
  const failure = handle.open(fd);
  if (failure) throw new Error(`the descriptor ${fd} cannot be watched: ${failure}`);
  return handle;
}

function socketOf(handle: PipeHandle, options: AdoptOptions): Socket {
  const all = { handle, readable: true, writable: true, ...options };
  return new Socket(all as unknown as ConstructorParameters<typeof Socket>[0]);
}

/** Returns the descriptor of a connected socket, for calls that bypass libuv; -1 where Node does not show it. */
export function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle?: { readonly fd?: number } | null };
  return handle?.fd ?? -1;
}

function findConstructor(): PipeConstructor {
  const donor = new Socket({ fd: unixSocket("stream", true), readable: false, writable: false });
  const { _handle: handle } = donor as unknown as { _handle?: PipeHandle };
  donor.on("error", () => undefined);
  donor.destroy();
  if (handle === undefined || typeof handle.open !== "function") {
    throw new Error(`Node ${process.versions.node} has changed its internal pipe handle; use another transport`);
  }
  return handle.constructor as PipeConstructor;
}
