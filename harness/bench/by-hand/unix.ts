import { connect, createServer } from "node:net";
import type { EchoArm } from "./arm.ts";
import { answer } from "./load.ts";

const PREFIX_BYTES = 4;
const READ_BYTES = 64 * 1024;

/** `node:net` with the framing of our byte streams: a u32 length before each message. */
export const unix: EchoArm = {
  async serve(directory) {
    const path = `${directory}/unix`;
    const server = createServer((socket) => {
      let rest: Buffer | undefined;
      socket.on("error", () => socket.destroy());
      socket.on("data", (chunk: Buffer) => {
        let bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
        rest = undefined;
        while (bytes.length >= PREFIX_BYTES) {
          const end = PREFIX_BYTES + bytes.readUInt32LE(0);
          if (bytes.length < end) break;
          // The chunk is ours, so it is answered in place and goes back with its prefix.
          answer(bytes.subarray(PREFIX_BYTES, end));
          socket.write(bytes.subarray(0, end));
          bytes = bytes.subarray(end);
        }
        if (bytes.length > 0) rest = bytes;
      });
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return path;
  },
  async exchange(path, load) {
    await new Promise<void>((resolve, reject) => {
      let frame = Buffer.alloc(0);
      let have = 0;
      let wanted = 0;
      let reply = Buffer.alloc(0);
      const send = (): void => {
        const request = load.next();
        if (request === undefined) return void socket.destroy();
        wanted = PREFIX_BYTES + request.length;
        if (frame.length !== wanted) {
          frame = Buffer.alloc(wanted);
          reply = Buffer.alloc(wanted);
        }
        frame.writeUInt32LE(request.length, 0);
        request.copy(frame, PREFIX_BYTES);
        have = 0;
        socket.write(frame);
      };
      const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
      const callback = (bytes: number): boolean => {
        buffer.copy(reply, have, 0, bytes);
        have += bytes;
        if (have < wanted) return true;
        load.accept(reply.subarray(PREFIX_BYTES, PREFIX_BYTES + reply.readUInt32LE(0)));
        send();
        return true;
      };
      const socket = connect({ path, onread: { buffer, callback } });
      socket.once("connect", send);
      socket.once("error", reject);
      socket.once("close", () => resolve());
    });
  },
};
