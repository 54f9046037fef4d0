import { IpcError } from "../contract/errors.ts";
import type { ConnectionHandler, EventTransport, Transport } from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { closableServer } from "../support/closable-server.ts";
import { distinctName } from "../support/distinct-name.ts";
import { launchRaw } from "../support/launched-raw-client.ts";
import { checkOptions } from "../support/opening.ts";
import { openStandardStreams, type StandardStreams, startOverStandardStreams } from "../support/standard-streams.ts";
import { type Framing, HEADERS, LINES } from "./framing.ts";
import { MAX_BYTES, MAX_CALLS, openClient, serve, type Wire } from "./session.ts";

const STDOUT = 1;
const CLOSE_LIMIT_MS = 1000;

function wireOver(
  { input, output }: StandardStreams,
  base: Pick<Wire, "transport" | "framing" | "source" | "remedy">,
): Wire {
  return {
    ...base,
    input,
    output,
    // Reads what the other side still writes, so that its writes do not fail with EPIPE while it ends.
    hangUp() {
      output.end();
      input.resume();
    },
  };
}

function faceOf(transport: string, framing: Framing): EventTransport & Required<Pick<EventTransport, "launch">> {
  return {
    async listen(address, handler, options) {
      checkOptions(transport, options);
      const wire = wireOver(openStandardStreams(transport), { transport, framing, source: "standard input" });
      const served = serve(wire, handler);
      return closableServer(address, async () => {
        await served.finish(CLOSE_LIMIT_MS);
        await new Promise<void>((resolve) => {
          if (wire.output.destroyed || wire.output.writableFinished) resolve();
          else wire.output.once("close", resolve).end();
        });
        wire.input.destroy();
      });
    },
    async connect() {
      const message = `${transport}: there is no address to connect to; launch() starts the peer and connects it`;
      throw new IpcError("IPC_UNSUPPORTED", message, { transport });
    },
    async launch(command, handler: ConnectionHandler, options) {
      const { input, output, ...child } = await startOverStandardStreams(transport, command, options);
      const wire = wireOver(
        { input, output },
        {
          transport,
          framing,
          source: "standard output of the server",
          remedy: "; a server prints its log to standard error",
        },
      );
      return { connection: openClient(wire, handler), ...child };
    },
  };
}

function overStdio(id: string, framing: Framing): Transport {
  const event = faceOf(id, framing);
  return {
    id,
    capabilities: streamCapabilities({
      patterns: ["request-reply"],
      rendezvous: "parent",
      boundaries: "library",
      maxMessageBytes: MAX_BYTES,
      maxClients: 1,
      maxInFlight: MAX_CALLS,
      backpressure: "outbox",
      platforms: ["linux", "darwin", "win32"],
    }),
    async probe() {
      return { available: true, version: `node ${process.versions.node}` };
    },
    allocate: async () => ({ transport: id, name: `stdio-${distinctName()}` }),
    event,
    usesStandardOutput: true,
    // On Windows no `cat` takes descriptors.
    ...(process.platform === "win32" ? {} : { launchRaw: (handler) => launchRaw(id, event.launch, STDOUT, handler) }),
    residue: async () => [],
    async sweep() {},
  };
}

/** JSON-RPC 2.0 with one message a line, over the standard input and output of a child: as tool servers use it. */
export const jsonRpcLines: Transport = overStdio("jsonrpc/stdio", LINES);

/** JSON-RPC 2.0 behind `Content-Length` headers, over the same streams: as language servers use it. */
export const jsonRpcHeaders: Transport = overStdio("jsonrpc/stdio-headers", HEADERS);
