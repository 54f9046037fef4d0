import { join } from "node:path";
import type { Capabilities } from "../contract/capabilities.ts";
import { toIpcError } from "../contract/errors.ts";
import type { Address, ConnectionHandler, OpenOptions, Server, Transport } from "../contract/transport.ts";
import { posixAvailability } from "../posix/binding.ts";
import { NEEDS_POSIX_BINDING, streamCapabilities } from "../support/capabilities.ts";
import { distinctName } from "../support/distinct-name.ts";
import { lockResidue, sweepLocks } from "../support/path-lock.ts";
import type { AgreedConnection } from "./agreed-connection.ts";
import { type Agreed, type AgreedKind, type Meeting, namedSegments } from "./agreed-segment.ts";

type Connect = (agreed: Agreed, handler: ConnectionHandler, onEnd: () => void) => AgreedConnection;

/** Starts a server over agreed segments, which accepts connections and closes them when it is closed. */
async function listen(
  kind: AgreedKind,
  make: Connect,
  address: Address,
  handler: ConnectionHandler,
  options: OpenOptions | undefined,
  meeting: Meeting,
): Promise<Server> {
  const connections = new Set<AgreedConnection>();
  const listener = await meeting.listen(kind, address, options, (agreed) => (ended) => {
    const connection = make(agreed, handler, () => {
      connections.delete(connection);
      ended();
    });
    connections.add(connection);
    connection.start();
  });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      await listener.close();
      await Promise.allSettled([...connections].map((connection) => connection.close()));
    })();
    return closing;
  };
  return { address, close, [Symbol.asyncDispose]: close };
}

/** Builds the common parts of the ids of this folder that have only an event face. */
export function agreedTransport(
  kind: AgreedKind,
  claims: Pick<Capabilities, "maxMessageBytes" | "boundaries">,
  make: Connect,
  meeting: Meeting = namedSegments,
): Transport {
  return {
    id: kind.id,
    capabilities: streamCapabilities({
      maxClients: kind.maxClients,
      platforms: ["linux"],
      languages: ["c"],
      ...NEEDS_POSIX_BINDING,
      ...claims,
    }),
    async probe() {
      return posixAvailability();
    },
    async allocate({ directory, prefix }) {
      return { transport: kind.id, name: join(directory, `${prefix}-${distinctName()}`) };
    },
    event: {
      listen: (address, handler, options) => listen(kind, make, address, handler, options, meeting),
      async connect(address, handler, options) {
        const connection = make(await meeting.connect(kind, address, options), handler, () => undefined);
        connection.start();
        return connection;
      },
    },
    async residue(address) {
      try {
        return [...meeting.residue(kind, address), ...lockResidue(address.name)];
      } catch (error) {
        throw toIpcError(error, kind.id);
      }
    },
    async sweep(address) {
      if (!posixAvailability().available) return;
      try {
        meeting.sweep(kind, address);
        await sweepLocks(address.name);
      } catch (error) {
        throw toIpcError(error, kind.id);
      }
    },
  };
}
