/** Faults that lose, repeat, reorder or make up messages. */
import { HEADER_BYTES, Kind, readKind } from "../../transports/contract/frame.ts";
import type { Fault } from "./tapped.ts";

export const MESSAGE_FAULTS: Readonly<Record<string, Fault>> = {
  "goes-deaf": {
    about: "loses what is sent after a pause",
    client() {
      let lastMs = performance.now();
      return {
        send(message, send) {
          const pausedMs = performance.now() - lastMs;
          lastMs = performance.now();
          return pausedMs > 250 ? true : send(message);
        },
        // A reply that a busy machine brings late ends a pause.
        receive(message, deliver) {
          lastMs = performance.now();
          deliver(message);
        },
      };
    },
  },
  "answers-for-the-dead": {
    about: "makes up the replies that a dead server owes",
    client() {
      const owed = new Map<string, Uint8Array>();
      const key = (message: Uint8Array): string => Buffer.from(message.subarray(0, 4)).toString("hex");
      return {
        send(message, send) {
          const taken = send(message);
          if (taken && message.length >= HEADER_BYTES) owed.set(key(message), message.slice());
          return taken;
        },
        receive(message, deliver) {
          owed.delete(key(message));
          deliver(message);
        },
        closed(error, tell, deliver) {
          for (const request of owed.values()) {
            request[4] = Kind.reply;
            deliver(request);
          }
          tell(error);
        },
      };
    },
  },
  "cuts-at-the-page": {
    about: "loses the last byte of a message that is one byte longer than a page",
    client: () => ({
      send: (message, send) => send(message.length === 4097 + HEADER_BYTES ? message.subarray(0, -1) : message),
    }),
  },
  reorders: {
    about: "lets every hundredth one-way message be overtaken by the next",
    client() {
      let number = 0;
      let held: Uint8Array | undefined;
      return {
        send(message, send) {
          if (readKind(message) === Kind.oneWay && held === undefined && ++number % 100 === 0) {
            held = message.slice();
            setTimeout(() => {
              if (held !== undefined) send(held);
              held = undefined;
            }, 5);
            return true;
          }
          const taken = send(message);
          if (taken && held !== undefined && send(held)) held = undefined;
          return taken;
        },
      };
    },
  },
  duplicates: {
    about: "delivers every fiftieth reply twice",
    client() {
      let number = 0;
      return {
        receive(message, deliver) {
          const again = ++number % 50 === 0 ? message.slice() : undefined;
          deliver(message);
          if (again !== undefined) deliver(again);
        },
      };
    },
  },
  "replies-in-order": {
    about: "holds a reply back until all earlier requests are answered",
    server() {
      const asked: string[] = [];
      const ready = new Map<string, Uint8Array>();
      const key = (message: Uint8Array): string => Buffer.from(message.subarray(0, 4)).toString("hex");
      return {
        receive(message, deliver) {
          // Requests that get no reply are left out, because they would block all others for ever.
          if (message.length >= HEADER_BYTES && readKind(message) === Kind.request && message[5] !== 2)
            asked.push(key(message));
          deliver(message);
        },
        send(message, send) {
          if (readKind(message) !== Kind.reply) return send(message);
          ready.set(key(message), message.slice());
          for (let first = asked[0]; first !== undefined; first = asked[0]) {
            const reply = ready.get(first);
            if (reply === undefined || !send(reply)) break;
            ready.delete(first);
            asked.shift();
          }
          return true;
        },
      };
    },
  },
};
