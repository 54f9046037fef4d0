import { createServer } from "node:net";
import { UNBOUNDED_MESSAGE_BYTES as maxMessageBytes, type Transport } from "ipcmark";
import * as parts from "ipcmark/testing";

const ID = "mine/unix";
const transport: Transport = parts.pathTransport({
  id: ID,
  stem: "mine",
  capabilities: parts.streamCapabilities({}),
  probe: async () => ({ available: true, version: `node ${process.versions.node}` }),
  event: {
    listen: (address, handler, options) =>
      parts.listenAtPath(address.name, ID, async () => {
        if (options?.signal?.aborted) throw parts.aborted(ID);
        const listener = createServer({ allowHalfOpen: true });
        await parts.listenPrivately(listener, address.name);
        return new parts.StreamServer({ transport: ID, address, maxMessageBytes, maxClients: 1024, handler, listener });
      }),
    connect: (address, handler, options) =>
      parts.connectStream(ID, { path: address.name }, maxMessageBytes, handler, options),
  },
});
export default transport;
