import { IpcError } from "../../transports/contract/errors.ts";
import { HEADER_BYTES, Kind, readKind } from "../../transports/contract/frame.ts";
import { closesAtOnce } from "./broken-closes.ts";
import type { Fault } from "./tapped.ts";

/** Faults in the capabilities: they claim more than the mechanism does. */
export const FALSE_CLAIMS: Readonly<Record<string, Fault>> = {
  "refuses-large": {
    about: "claims 64 MiB and refuses more than 1 MiB",
    client: () => ({
      send(message, send) {
        if (message.length > 1024 * 1024 + HEADER_BYTES) throw new IpcError("IPC_TOO_LARGE", "broken: 1 MiB at most");
        return send(message);
      },
    }),
  },
  "claims-kernel": {
    about: "claims that the kernel keeps its boundaries, and needs a prefix",
    capabilities: { boundaries: "kernel" },
  },
  "claims-library": {
    about: "claims that a library keeps its boundaries, and understands our prefix",
    capabilities: { boundaries: "library" },
  },
  "claims-delivery": {
    about: "claims to deliver, and drops what waits when it closes",
    client: closesAtOnce,
  },
  "claims-lazy": { about: "claims to wait for a server, and does not", capabilities: { connects: "lazy" } },
  "claims-blocking": { about: "claims a way to wait that it has no face for", capabilities: { modes: ["blocking"] } },
  "claims-parent": { about: "claims that a parent launches it, and cannot", capabilities: { rendezvous: "parent" } },
  "claims-persistence": { about: "claims that messages outlive the server", capabilities: { persistent: true } },
  "claims-fan-out": {
    about: "claims to distribute what is sent once, and has one connection for each client",
    capabilities: { patterns: ["request-reply", "one-way", "fan-out"] },
  },
  "claims-python": {
    about: "lists Python, and its server there speaks another protocol",
    capabilities: { languages: ["python"] },
    peers: { python: ["python3", "peer.py"] },
  },
  "refuses-one-way": {
    about: "lists one-way messages and refuses them",
    client: () => ({
      send(message, send) {
        if (readKind(message) === Kind.oneWay) throw new IpcError("IPC_UNSUPPORTED", "broken: replies only");
        return send(message);
      },
    }),
  },
  lockstep: {
    about: "claims many requests in flight and carries four",
    client() {
      let outstanding = 0;
      return {
        send(message, send) {
          if (readKind(message) !== Kind.request) return send(message);
          if (outstanding >= 4) return false;
          const taken = send(message);
          outstanding += taken ? 1 : 0;
          return taken;
        },
        receive(message, deliver) {
          outstanding -= readKind(message) === Kind.reply ? 1 : 0;
          deliver(message);
        },
      };
    },
  },
  "queues-without-end": {
    about: "takes everything and keeps it in memory",
    client: queueWithoutEnd,
  },
};

function queueWithoutEnd(): ReturnType<NonNullable<Fault["client"]>> {
  const queue: Uint8Array[] = [];
  let timer: NodeJS.Timeout | undefined;
  const drain = (send: (message: Uint8Array) => boolean): void => {
    try {
      while (queue[0] !== undefined && send(queue[0])) queue.shift();
    } catch {
      queue.length = 0;
    }
    clearTimeout(timer);
    timer = queue.length > 0 ? setTimeout(drain, 1, send) : undefined;
  };
  return {
    send(message, send) {
      queue.push(message.slice());
      drain(send);
      return true;
    },
  };
}
