import { openSync } from "node:fs";
import type { BlockingConnection, BlockingServer, BlockingTransport } from "../../transports/contract/transport.ts";
import type { Fault } from "./tapped.ts";

/** Faults of servers that block. */
export const BLOCKING_FAULTS: Readonly<Record<string, Fault>> = {
  "keeps-the-gone": {
    about: "leaves a descriptor open for every client of its blocking server",
    capabilities: { modes: ["event", "blocking"] },
    blocking: (face) => withReceive(face, keepsDescriptors),
  },
  "spins-while-blocking": {
    about: "polls where its blocking server should sleep",
    capabilities: { modes: ["event", "blocking"] },
    blocking: (face) => withReceive(face, spins),
  },
};

type Receive = BlockingServer["receive"];

function withReceive(face: BlockingTransport, spoil: (server: BlockingServer) => Receive): BlockingTransport {
  return {
    connect: (address, timeoutMs, options) => face.connect(address, timeoutMs, options),
    listen(address, options) {
      const server = face.listen(address, options);
      return {
        address: server.address,
        receive: spoil(server),
        get from() {
          return server.from;
        },
        [Symbol.dispose]: () => server[Symbol.dispose](),
      };
    },
  };
}

function keepsDescriptors(server: BlockingServer): Receive {
  const seen = new WeakSet<BlockingConnection>();
  return (into, timeoutMs) => {
    const length = server.receive(into, timeoutMs);
    const { from } = server;
    if (from !== undefined && !seen.has(from)) {
      seen.add(from);
      openSync("/dev/null", "r");
    }
    return length;
  };
}

function spins(server: BlockingServer): Receive {
  return (into, timeoutMs) => {
    for (const untilMs = performance.now() + timeoutMs; ; ) {
      const length = server.receive(into, 0);
      if (length >= 0 || performance.now() >= untilMs) return length;
    }
  };
}
