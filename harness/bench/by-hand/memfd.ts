import { connect, createServer, type Socket } from "node:net";
import { receiveDescriptor, sendDescriptor } from "../../../transports/posix/descriptor-passing.ts";
import type { Mapping } from "../../../transports/posix/mapping.ts";
import { MemoryFile } from "../../../transports/posix/memory-file.ts";
import { descriptorOf } from "../../../transports/support/pipe-handle.ts";
import type { EchoArm } from "./arm.ts";
import { answer } from "./load.ts";

const LANE_BYTES = 1024 * 1024;
const BELL = Buffer.from("!");

/** One direction: a length and the bytes behind it. A byte through the socket announces each message. */
class Lane {
  readonly #mapping: Mapping;
  readonly #at: number;
  readonly #socket: Socket;

  constructor(mapping: Mapping, at: number, socket: Socket) {
    this.#mapping = mapping;
    this.#at = at;
    this.#socket = socket;
  }

  send(message: Uint8Array): void {
    this.#mapping.bytes.set(message, this.#at + 4);
    Atomics.store(this.#mapping.words, this.#at >>> 2, message.length);
    this.#socket.write(BELL);
  }

  /** Returns the message in memory of its own, since the other side could change it. */
  receive(): Buffer {
    const length = Math.min(LANE_BYTES - 4, Atomics.load(this.#mapping.words, this.#at >>> 2));
    return Buffer.from(this.#mapping.bytes.subarray(this.#at + 4, this.#at + 4 + length));
  }
}

/** Shared memory without a name, which the client makes and passes; both ends wait in an event loop. */
export const memfd: EchoArm = {
  async serve(directory) {
    const path = `${directory}/memfd`;
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      socket.on("error", () => socket.destroy());
      const look = (): void => {
        const received = receiveDescriptor(descriptorOf(socket), 1);
        if (received?.fd === undefined) return void setTimeout(look, 1);
        const { mapping } = MemoryFile.adopt(received.fd, 2 * LANE_BYTES);
        const [requests, replies] = [new Lane(mapping, 0, socket), new Lane(mapping, LANE_BYTES, socket)];
        socket.on("data", () => replies.send(answer(requests.receive()))).resume();
      };
      look();
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return path;
  },
  async exchange(path, load) {
    const { mapping, fd } = MemoryFile.create("by-hand", 2 * LANE_BYTES);
    await new Promise<void>((resolve, reject) => {
      const socket = connect(path);
      const [requests, replies] = [new Lane(mapping, 0, socket), new Lane(mapping, LANE_BYTES, socket)];
      const send = (): void => {
        const request = load.next();
        if (request === undefined) socket.destroy();
        else requests.send(request);
      };
      socket.once("connect", () => {
        sendDescriptor(descriptorOf(socket), BELL, fd);
        send();
      });
      socket.on("data", () => {
        load.accept(replies.receive());
        send();
      });
      socket.once("error", reject);
      socket.once("close", () => resolve());
    });
  },
};
