import { libc } from "../../../transports/posix/binding.ts";
import { Mapping } from "../../../transports/posix/mapping.ts";
import { bindPath, connectPath, MSG_NOSIGNAL, unixSocket } from "../../../transports/posix/unix-socket.ts";
import { acceptOnDescriptor, adoptDescriptor, descriptorOf } from "../../../transports/support/pipe-handle.ts";
import type { EchoArm } from "./arm.ts";
import { answer } from "./load.ts";

const READ_BYTES = 200_000;

/** Returns `send` with one buffer that the C library can read; a full socket is not handled, since one is in flight. */
function sender(): (fd: number, bytes: Uint8Array) => void {
  const memory = Mapping.anonymous(READ_BYTES);
  const api = libc();
  const start = memory.pointer(0);
  return (fd, bytes) => {
    memory.bytes.set(bytes);
    if (api.send(fd, start, bytes.length, MSG_NOSIGNAL) !== bytes.length) throw new Error("send");
  };
}

/** SOCK_SEQPACKET over the C library and Node's event loop: a record is a message, without a kind. */
export const seqpacket: EchoArm = {
  async serve(directory) {
    const path = `${directory}/seqpacket`;
    const fd = unixSocket("seqpacket", true);
    const send = sender();
    bindPath(fd, path);
    acceptOnDescriptor(fd, 16, (admit) => {
      const callback = (bytes: number, buffer: Uint8Array): boolean => {
        send(descriptorOf(socket), answer(buffer.subarray(0, bytes)));
        return true;
      };
      const socket = admit({ onread: { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback } });
      socket.on("error", () => socket.destroy()).resume();
    });
    return path;
  },
  async exchange(path, load) {
    const fd = unixSocket("seqpacket", true);
    connectPath(fd, path);
    const transmit = sender();
    await new Promise<void>((resolve, reject) => {
      const send = (): void => {
        const request = load.next();
        if (request === undefined) return void socket.destroy();
        transmit(fd, request);
      };
      const callback = (bytes: number, buffer: Uint8Array): boolean => {
        load.accept(buffer.subarray(0, bytes));
        send();
        return true;
      };
      const socket = adoptDescriptor(fd, { onread: { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback } });
      socket.once("error", reject);
      socket.once("close", () => resolve());
      socket.resume();
      send();
    });
  },
};
