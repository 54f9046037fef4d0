import { IpcError } from "../../transports/contract/errors.ts";
import type { EventTransport, Transport } from "../../transports/contract/transport.ts";
import { unix } from "../../transports/sockets/unix.ts";

/** `unix` that no client reaches, whatever two containers share: the proof that `container/sharing` can fail. */
const neverConnects: Transport = {
  ...unix,
  id: "broken/never-connects",
  event: {
    ...(unix.event as EventTransport),
    async connect() {
      throw new IpcError("IPC_PEER_LOST", "broken/never-connects: nobody listens");
    },
  },
};

export default [neverConnects];
