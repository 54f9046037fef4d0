import { connect, type NetConnectOpts } from "node:net";
import type { Stranger } from "../contract/transport.ts";

/**
 * A client that speaks raw bytes to a stream socket, for the security checks.
 *
 * @param where a path, or host and port
 * @throws what `net.connect` reports when nobody listens
 */
export async function openStranger(where: NetConnectOpts): Promise<Stranger> {
  const socket = connect(where);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  // Answers are of no interest, but unread they would keep the end of the stream from being seen.
  socket.resume();
  socket.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
  });
  return {
    closed,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    async [Symbol.asyncDispose]() {
      socket.destroy();
      await closed;
    },
  };
}
