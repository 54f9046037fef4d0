import { toIpcError } from "../contract/errors.ts";
import type { ConnectionHandler, EventTransport, LaunchedRawClient } from "../contract/transport.ts";

/** Time allowed for a child to end by itself. */
const GRACE_MS = 1000;

/**
 * Launches a child that copies its control channel to the descriptor of its messages, byte for byte. It is a shell and
 * `cat`, because a Node process would open the channel as its own.
 */
export async function launchRaw(
  transport: string,
  launch: NonNullable<EventTransport["launch"]>,
  descriptor: number,
  handler: ConnectionHandler,
): Promise<LaunchedRawClient> {
  const closed = Promise.withResolvers<void>();
  const peer = await launch(["/bin/sh", "-c", `exec cat <&3 >&${descriptor} 2>/dev/null`], {
    onOpen: (connection) => handler.onOpen(connection),
    onMessage: (message, connection) => handler.onMessage(message, connection),
    onWritable: (connection) => handler.onWritable(connection),
    onClose(connection, error) {
      handler.onClose(connection, error);
      closed.resolve();
    },
  });
  const { control, pid, exited } = peer;
  // A child that is gone takes no more bytes, which is no error here.
  control.on("error", () => {}).resume();
  return {
    pid,
    closed: closed.promise,
    write(bytes) {
      return new Promise((resolve, reject) => {
        control.write(bytes, (error) => (error ? reject(toIpcError(error, transport)) : resolve()));
      });
    },
    async [Symbol.asyncDispose]() {
      control.end();
      const timer = setTimeout(() => process.kill(pid, "SIGKILL"), GRACE_MS);
      await exited;
      clearTimeout(timer);
      await closed.promise;
      control.destroy();
    },
  };
}
