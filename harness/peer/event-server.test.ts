import { expect, it } from "vitest";
import { Method } from "../../scenarios/check.ts";
import { IpcError } from "../../transports/contract/errors.ts";
import { Kind } from "../../transports/contract/frame.ts";
import type { Connection } from "../../transports/contract/transport.ts";
import { buildFrame } from "../rpc/message.ts";
import { EventServer } from "./event-server.ts";

/** A WebSocket throws between the client's close frame and the end of the connection; that once ended the server. */
it("gets over a client that leaves before its late reply, and still ends when it is asked to", async () => {
  const server = new EventServer(() => {}, 1024);
  const sent = Promise.withResolvers<void>();
  const connection = {
    send() {
      sent.resolve();
      throw new IpcError("IPC_CLOSED", "ws/unix: the connection is closed", { transport: "ws/unix" });
    },
    pause() {},
    resume() {},
  } as unknown as Connection;
  server.onOpen(connection);
  server.onMessage(buildFrame(Kind.request, 1, Method.echoLater, 0, new Uint8Array(0)), connection);
  await sent.promise;
  server.onMessage(buildFrame(Kind.request, 2, Method.shutdown, 0, new Uint8Array(0)), connection);
  await expect(server.shutdown).resolves.toBeUndefined();
});
