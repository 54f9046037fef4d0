/**
 * Transports that are broken on purpose: `unix` (or `tcp`), each with one fault that shows only between processes.
 * Every scenario fails with one of them. They are loaded by path, like a user's module; the ids are `broken/<name>`.
 */
import { chmodSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { IpcError } from "../../transports/contract/errors.ts";
import { HEADER_BYTES, Kind, readKind, readStatus } from "../../transports/contract/frame.ts";
import type { Address, Connection, Transport } from "../../transports/contract/transport.ts";
import { tcp } from "../../transports/sockets/tcp.ts";
import { unix } from "../../transports/sockets/unix.ts";
import { BLOCKING_FAULTS } from "./blocking-faults.ts";
import { BROKEN_CLOSES } from "./broken-closes.ts";
import { BROKEN_PARENTS } from "./broken-parents.ts";
import { FALSE_CLAIMS } from "./false-claims.ts";
import { MESSAGE_FAULTS } from "./message-faults.ts";
import { type Fault, withFault } from "./tapped.ts";

/** Returns the directory of the run, in which each check has a directory of its own. */
const runDirectory = (address: Address): string => dirname(dirname(address.name));

/** Returns the file in which a server records its parent. */
const starterOf = (address: Address): string => join(runDirectory(address), `${basename(address.name)}.starter`);

/** Connections of one server process, for faults that depend on the other clients. */
const open = new Set<Connection>();
const silent = new Set<Connection>();
const withheld: (() => void)[] = [];
let sentInCrowd = 0;

function track(inner: Connection): () => void {
  open.add(inner);
  return () => void open.delete(inner);
}

function isEarly(inner: Connection): boolean {
  return [...open].indexOf(inner) < 2;
}

const CROWD = 4;
const SILENT_CROWD = 4;

export const BROKEN: Readonly<Record<string, Fault>> = {
  ...FALSE_CLAIMS,
  ...BLOCKING_FAULTS,
  ...MESSAGE_FAULTS,
  "crosses-replies": {
    about: "sends a reply to the wrong client now and then when many are there",
    server(inner) {
      const forget = track(inner);
      return {
        send(message, send) {
          sentInCrowd += open.size >= CROWD ? 1 : 0;
          if (open.size < CROWD || sentInCrowd % 40 !== 0) return send(message);
          const other = [...open].find((connection) => connection !== inner);
          return other === undefined ? send(message) : other.send(message);
        },
        closed(error, tell) {
          forget();
          tell(error);
        },
      };
    },
  },
  "one-process-only": {
    about: "lets nobody in but the process that started the server",
    async listen(face, address, handler, options) {
      writeFileSync(starterOf(address), `${process.pid} ${process.ppid}`, { mode: 0o600 });
      return face.listen(address, handler, options);
    },
    async connect(face, address, handler, options) {
      const isStarter = readFileSync(starterOf(address), "utf8").split(" ").includes(`${process.pid}`);
      if (!isStarter) throw new IpcError("IPC_PEER_LOST", "broken: not for you");
      return face.connect(address, handler, options);
    },
  },
  "leaks-descriptors": {
    about: "leaves a descriptor open for every client that leaves",
    server: () => ({
      closed(error, tell) {
        openSync("/dev/null", "r");
        tell(error);
      },
    }),
  },
  "spoils-large-data": {
    about: "carries 4 KiB, and spoils the memory it refers to for more",
    capabilities: { maxMessageBytes: 4096 },
    client: () => ({
      send(message, send) {
        if (message.length > 4096) throw new IpcError("IPC_TOO_LARGE", "broken: 4096 bytes at most");
        const path = /"path":"([^"]+)"/.exec(Buffer.from(message).toString("latin1"))?.[1];
        if (path !== undefined && existsSync(path)) writeFileSync(path, "spoilt", { flag: "r+" });
        return send(message);
      },
    }),
  },
  "ignores-deadlines": {
    about: "exceeds the time limit of close",
    client: () => ({ close: (timeoutMs, close) => close(1000 + 3 * (timeoutMs ?? 5000)) }),
  },
  "never-notices": { about: "never reports that the server is gone", client: () => ({ closed() {} }) },
  "fails-to-close": {
    about: "fails when its server closes",
    async listen(face, address, handler, options) {
      const server = await face.listen(address, handler, options);
      const close = async (): Promise<void> => {
        await server.close();
        throw new IpcError("IPC_SYSTEM", "broken: could not close");
      };
      return { address: server.address, close, [Symbol.asyncDispose]: close };
    },
  },
  "cries-wolf": {
    about: "reports every end as a loss",
    client: () => ({ closed: (error, tell) => tell(error ?? new IpcError("IPC_PEER_LOST", "broken: lost")) }),
  },
  "stale-blocks": {
    about: "cannot start where a killed server was",
    async listen(face, address, handler, options) {
      if (existsSync(address.name)) throw new IpcError("IPC_ADDRESS_IN_USE", "broken: the path exists");
      return face.listen(address, handler, options);
    },
  },
  lingers: {
    about: "cannot start where a server was stopped a moment ago",
    async listen(face, address, handler, options) {
      const mark = join(runDirectory(address), `${basename(address.name)}.lingers`);
      if (existsSync(mark)) throw new IpcError("IPC_ADDRESS_IN_USE", "broken: not yet");
      const server = await face.listen(address, handler, options);
      const close = async (): Promise<void> => {
        writeFileSync(mark, "", { mode: 0o600 });
        await server.close();
      };
      return { address: server.address, close, [Symbol.asyncDispose]: close };
    },
  },
  "dies-of-garbage": {
    about: "takes the server down when a client sends garbage",
    server: () => ({
      closed(error, tell) {
        if (error?.code === "IPC_MALFORMED") process.exit(3);
        tell(error);
      },
    }),
  },
  "dies-of-short-messages": {
    about: "takes the server down when a message is shorter than a header",
    server: () => ({
      receive(message, deliver) {
        if (message.length < HEADER_BYTES) process.exit(3);
        deliver(message);
      },
    }),
  },
  "waits-for-the-slowest": {
    about: "serves nobody while several clients have not finished their first message",
    server(inner) {
      silent.add(inner);
      const spoke = (): void => {
        silent.delete(inner);
        if (silent.size < SILENT_CROWD) for (const deliver of withheld.splice(0)) deliver();
      };
      return {
        receive(message, deliver) {
          spoke();
          if (silent.size < SILENT_CROWD) return deliver(message);
          const copy = message.slice();
          withheld.push(() => deliver(copy));
        },
        closed(error, tell) {
          spoke();
          tell(error);
        },
      };
    },
  },
  "makes-room": {
    about: "hangs up on the oldest client when there are many",
    server(inner) {
      const forget = track(inner);
      const [oldest] = open;
      if (open.size > 100 && oldest !== undefined) void oldest.close(0).catch(() => undefined);
      return {
        closed(error, tell) {
          forget();
          tell(error);
        },
      };
    },
  },
  "ignores-keys": {
    about: "lists shared-key and lets everybody in",
    capabilities: { auth: ["permissions", "shared-key"] },
    listen: (face, address, handler) => face.listen(address, handler),
    connect: (face, address, handler) => face.connect(address, handler),
  },
  "open-to-all": {
    about: "creates its socket with mode 0666 and lets others into its directories",
    async listen(face, address, handler, options) {
      const server = await face.listen(address, handler, options);
      chmodSync(address.name, 0o666);
      for (const directory of [dirname(address.name), runDirectory(address)]) chmodSync(directory, 0o711);
      return server;
    },
  },
  spins: {
    about: "polls instead of sleeping",
    async listen(face, address, handler, options) {
      const server = await face.listen(address, handler, options);
      const spin = (): void => void setImmediate(spin);
      spin();
      return server;
    },
  },
  "takes-reads-for-messages": {
    about: "throws a read of a single byte away",
    async listen(face, address, handler, options) {
      const { Socket } = await import("node:net");
      const emit = Socket.prototype.emit;
      Socket.prototype.emit = function (this: InstanceType<typeof Socket>, event: string, ...args: unknown[]): boolean {
        const [chunk] = args;
        if (event === "data" && chunk instanceof Uint8Array && chunk.length === 1) return true;
        return Reflect.apply(emit, this, [event, ...args]);
      } as typeof emit;
      return face.listen(address, handler, options);
    },
  },
  "favours-the-first": {
    about: "sends one-way messages to the first two of its clients alone",
    server(inner) {
      const forget = track(inner);
      return {
        send: (message, send) => (readKind(message) === Kind.oneWay && !isEarly(inner) ? true : send(message)),
        closed(error, tell) {
          forget();
          tell(error);
        },
      };
    },
  },
  "ignores-pause": { about: "goes on delivering after pause", client: () => ({ pause() {} }) },
  "serves-four": {
    about: "claims a thousand clients and serves four",
    server(inner) {
      const forget = track(inner);
      if (open.size > 4) void inner.close(0).catch(() => undefined);
      return {
        closed(error, tell) {
          forget();
          tell(error);
        },
      };
    },
  },
  "leaves-a-file": {
    about: "leaves a file that its residue omits",
    async listen(face, address, handler, options) {
      writeFileSync(`${address.name}.left`, "", { mode: 0o600 });
      return face.listen(address, handler, options);
    },
  },
  "sweeps-nothing": { about: "leaves everything to the next reboot", async sweep() {} },
  "loses-what-is-due": {
    about: "forgets the replies that are not on their way when the server is told to shut down",
    server() {
      let closing = false;
      return {
        receive(message, deliver) {
          closing ||= message.length >= HEADER_BYTES && readKind(message) === Kind.request && message[5] === 4;
          deliver(message);
        },
        send: (message, send) => (closing && message[5] === 1 && readStatus(message) === 0 ? true : send(message)),
      };
    },
  },
};

/** A mechanism that claims to keep other users out, but cannot identify them. */
const openPort: Transport = withFault(tcp, "broken/open-port", {
  about: "claims permissions where every user can connect",
  capabilities: { auth: ["permissions"] },
});

/** A transport without a fault: every check must pass. */
const sound: Transport = withFault(unix, "broken/none", { about: "is sound" });

const broken: readonly Transport[] = [
  sound,
  ...Object.entries(BROKEN).map(([name, fault]) => withFault(unix, `broken/${name}`, fault)),
  openPort,
  ...BROKEN_PARENTS,
  ...BROKEN_CLOSES,
];
export default broken;
