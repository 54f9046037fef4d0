import { once } from "node:events";
import { createConnection } from "node:net";
import { existingServer } from "../../../harness/index.ts";

export default existingServer({
  id: "my-frames",
  command: ({ path }) => ["python3", `${import.meta.dirname}/frames_server.py`, path],
  async connect({ path }) {
    const socket = createConnection(path);
    await once(socket, "connect");
    const waiting: PromiseWithResolvers<Uint8Array>[] = [];
    let held = Buffer.alloc(0);
    socket.on("data", (piece: Buffer<ArrayBuffer>) => {
      held = held.length === 0 ? piece : Buffer.concat([held, piece]);
      while (held.length >= 4 && held.length >= 4 + held.readUInt32BE()) {
        const end = 4 + held.readUInt32BE();
        waiting.shift()?.resolve(held.subarray(4, end));
        held = held.subarray(end);
      }
    });
    const closed = once(socket, "close");
    const fail = (): void => {
      for (const { reject } of waiting.splice(0)) reject(new Error("the connection was closed"));
    };
    closed.then(fail, fail);
    return {
      request(body) {
        const head = Buffer.alloc(4);
        head.writeUInt32BE(body.length);
        socket.write(Buffer.concat([head, body]));
        const reply = Promise.withResolvers<Uint8Array>();
        waiting.push(reply);
        return reply.promise;
      },
      close: () => socket.destroy(),
      closed,
    };
  },
  capabilities: { maxInFlight: 64, peerLoss: "immediate", ordering: "fifo" },
});
