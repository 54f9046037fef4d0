import { Socket } from "node:net";
import { unixSocket } from "../posix/unix-socket.ts";

/** The part of Node's internal pipe handle used here. */
interface PipeHandle {
  open(fd: number): number | undefined;
}
type PipeConstructor = new (type: number) => PipeHandle;

const SOCKET_TYPE = 0;
let pipeConstructor: PipeConstructor | undefined;

/**
 * Opens a stream on a descriptor that `net.Socket({ fd })` refuses, such as a datagram socket or an eventfd. Each
 * `data` event is one read. Node has no public way, so this takes the constructor of the internal handle from an
 * ordinary socket. Nothing else here uses Node's internals (checked on Node 22, 24 and 26).
 *
 * The stream owns the descriptor: `destroy` closes it.
 */
export function adoptDescriptor(fd: number): Socket {
  pipeConstructor ??= findConstructor();
  const handle = new pipeConstructor(SOCKET_TYPE);
  const failure = handle.open(fd);
  if (failure !== undefined && failure !== 0) throw new Error(`the descriptor ${fd} cannot be watched: ${failure}`);
  return new Socket({ handle, readable: true, writable: true } as unknown as ConstructorParameters<typeof Socket>[0]);
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
