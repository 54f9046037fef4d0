import { closeSync } from "node:fs";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError, isIpcError } from "../contract/errors.ts";
import type { Address, BlockingConnection, BlockingServer, BlockingTransport } from "../contract/transport.ts";
import { checkOptions } from "../support/opening.ts";
import { startOverStandardStreams, takeStandardStreams } from "../support/standard-streams.ts";
import { SyncSource, SyncStream, sleepSync } from "../support/sync-stream.ts";

const ID = "stdio";
const STDIN = 0;
const STDOUT = 1;

/** Part of a stream of a child for which Node has no public name. */
interface Handled {
  readonly _handle?: { readonly fd?: unknown; readStop?(): void } | null;
}

/** Returns the descriptor of a stream of a child. @throws IpcError IPC_UNSUPPORTED where the runtime shows none */
function descriptorOf(stream: Handled): number {
  const fd = stream._handle?.fd;
  if (typeof fd === "number" && fd >= 0) return fd;
  const message = `${ID}: this Node does not show the descriptors of a child's streams; use the event face`;
  throw new IpcError("IPC_UNSUPPORTED", message, { transport: ID });
}

/** The child's end: its own descriptors, which block in the kernel. Its one client is its parent. */
class StdioSyncServer implements BlockingServer {
  readonly address: Address;
  readonly #stream: SyncStream;
  #from: BlockingConnection | undefined;
  #isOver = false;

  constructor(address: Address) {
    this.address = address;
    takeStandardStreams(ID);
    this.#stream = new SyncStream({
      transport: ID,
      maxMessageBytes: UNBOUNDED_MESSAGE_BYTES,
      source: new SyncSource(STDIN, () => closeSync(STDIN)),
      output: STDOUT,
      spins: true,
      close: () => closeSync(STDOUT),
    });
  }

  get from(): BlockingConnection | undefined {
    return this.#from;
  }

  receive(into: Uint8Array, timeoutMs: number): number {
    if (!this.#isOver) {
      try {
        const length = this.#stream.receive(into, timeoutMs);
        if (length >= 0) this.#from = this.#stream;
        return length;
      } catch (error) {
        if (!isIpcError(error) || (error.code !== "IPC_PEER_LOST" && error.code !== "IPC_MALFORMED")) throw error;
        this.#isOver = true;
      }
    }
    // The parent is gone, and no other client can come.
    sleepSync(timeoutMs);
    return -1;
  }

  [Symbol.dispose](): void {
    this.#stream[Symbol.dispose]();
  }
}

/** Standard streams with `readSync` and `writeSync`: the parent polls, since its descriptors are non-blocking. */
export const stdioSync: BlockingTransport & Required<Pick<BlockingTransport, "launch">> = {
  listen(address, options) {
    checkOptions(ID, options);
    return new StdioSyncServer(address);
  },

  connect() {
    const message = `${ID}: there is no address to connect to; launch() starts the peer and returns the connection`;
    throw new IpcError("IPC_UNSUPPORTED", message, { transport: ID });
  },

  async launch(command, options) {
    let connection: SyncStream | undefined;
    const onExit = (): void => connection?.peerEnded();
    const { input, output, ...child } = await startOverStandardStreams(ID, command, options, onExit);
    // Node reads by itself from the start; from here on only this side reads.
    (input as Handled)._handle?.readStop?.();
    connection = new SyncStream({
      transport: ID,
      maxMessageBytes: UNBOUNDED_MESSAGE_BYTES,
      source: new SyncSource(descriptorOf(input as Handled), () => input.destroy()),
      output: descriptorOf(output as Handled),
      spins: true,
      close: () => output.destroy(),
    });
    return { connection, ...child };
  },
};
