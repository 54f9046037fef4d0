import { appendFileSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Connection, ConnectionHandler, EventTransport, Transport } from "../../transports/contract/transport.ts";
import { unix } from "../../transports/sockets/unix.ts";

/** Length below which messages are harmless. */
const DEADLY_BYTES = 4096;

/** `unix` whose client strikes its own process at the first large message, except in the calibration process. */
function deadly(id: string, strike: () => void): Transport {
  const event = unix.event as EventTransport;
  return {
    ...unix,
    id,
    event: {
      ...event,
      async connect(address, handler, options) {
        const isArmed = isLater(address.name, id);
        const connection = await event.connect(address, handler, options);
        return isArmed ? struck(connection, strike) : connection;
      },
    },
  };
}

/**
 * `unix` whose server strikes its process at the first message above `bytes`; `spares` the calibration or nobody.
 */
function deadlyServer(id: string, strike: () => void, spares: 0 | 1, bytes: number = DEADLY_BYTES): Transport {
  const event = unix.event as EventTransport;
  return {
    ...unix,
    id,
    event: {
      ...event,
      listen(address, handler, options) {
        const isArmed = isLater(address.name, id) || spares === 0;
        const watched: ConnectionHandler = {
          onOpen: (connection) => handler.onOpen(connection),
          onMessage(message, connection) {
            if (isArmed && message.length > bytes) strike();
            handler.onMessage(message, connection);
          },
          onWritable: (connection) => handler.onWritable(connection),
          onClose: (connection, reason) => handler.onClose(connection, reason),
        };
        return event.listen(address, watched, options);
      },
    },
  };
}

/** Records a start. @returns `false` the first time for this id in this run */
function isLater(path: string, id: string): boolean {
  const starts = join(dirname(path), `${id.replace("/", "-")}-starts`);
  appendFileSync(starts, ".");
  return readFileSync(starts).length > 1;
}

function struck(connection: Connection, strike: () => void): Connection {
  const send = connection.send.bind(connection);
  connection.send = (message) => {
    if (message.length > DEADLY_BYTES) strike();
    return send(message);
  };
  return connection;
}

/** Blocks the thread, but is not busy: the tests beside it need the CPU. */
function block(): never {
  const parent = process.ppid;
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  // A test run that is killed must not leave this behind.
  while (process.ppid === parent) Atomics.wait(nobody, 0, 0, 50);
  process.exit(1);
}

export default [
  deadly("deadly/crash", () => process.kill(process.pid, "SIGKILL")),
  deadly("deadly/segfault", () => process.kill(process.pid, "SIGSEGV")),
  deadlyServer("deadly/segfault-peer", () => process.kill(process.pid, "SIGSEGV"), 1),
  deadlyServer("deadly/segfault-check", () => process.kill(process.pid, "SIGSEGV"), 0),
  deadly("deadly/exit", () => process.exit(7)),
  deadly("deadly/hang", block),
  { ...unix, id: "deadly/blocked", allocate: block },
  deadlyServer("deadly/blocked-server", block, 0, 0),
];
