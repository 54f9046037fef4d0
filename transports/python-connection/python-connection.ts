import { createServer } from "node:net";
import { join } from "node:path";
import type { Capabilities } from "../contract/capabilities.ts";
import type { EventTransport, Transport } from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { distinctName } from "../support/distinct-name.ts";
import { listenOnLoopback, loopbackName, loopbackTarget, portOf, portResidue } from "../support/loopback-port.ts";
import { unlessAborted } from "../support/opening.ts";
import { listenPrivately } from "../support/private-listener.ts";
import { listenAtPath, pathResidue, sweepPath } from "../support/socket-path.ts";
import { checkSocketPath } from "../support/socket-path-limit.ts";
import { connectRawSocket } from "../support/stream-client.ts";
import { connectPython } from "./client.ts";
import { checkListen, MAX_CLIENTS, servePython, settingsOf } from "./protocol.ts";

const UNIX_ID = "python-connection";
const TCP_ID = "python-connection/tcp";
/** Command of a Python server; the harness replaces `peer.py` by the path of its own script. */
const PEERS = { python: ["python3", "peer.py"] } as const;
const CLIENTS = { python: ["python3", "client.py"] } as const;

const overUnix: EventTransport = {
  async listen(address, handler, options) {
    checkListen(UNIX_ID, options);
    return listenAtPath(address.name, UNIX_ID, async () => {
      const listener = createServer({ allowHalfOpen: true });
      await listenPrivately(listener, address.name);
      return unlessAborted(UNIX_ID, options, servePython(settingsOf(address), address, listener, handler, options));
    });
  },

  async connect(address, handler, options) {
    checkSocketPath(address.name, UNIX_ID);
    return connectPython(settingsOf(address), { path: address.name }, handler, options);
  },
};

const overTcp: EventTransport = {
  async listen(address, handler, options) {
    checkListen(TCP_ID, options);
    // Above 16 KiB, Python writes the payload in a second write after the header, which Nagle's algorithm would delay.
    const listener = createServer({ allowHalfOpen: true, noDelay: true });
    const name = loopbackName(await listenOnLoopback(TCP_ID, listener, portOf(TCP_ID, address)));
    const bound = { ...address, name };
    return unlessAborted(TCP_ID, options, servePython(settingsOf(address), bound, listener, handler, options));
  },

  async connect(address, handler, options) {
    return connectPython(settingsOf(address), loopbackTarget(TCP_ID, address), handler, options);
  },
};

const COMMON: Capabilities = streamCapabilities({
  maxClients: MAX_CLIENTS,
  languages: ["python"],
});

const version = `node ${process.versions.node}, libuv ${process.versions.uv}`;

/** The wire protocol of Python's `multiprocessing.connection` over Unix sockets; bytes only, never pickle. */
export const pythonConnection: Transport = {
  id: UNIX_ID,
  capabilities: { ...COMMON, auth: ["permissions", "shared-key"], platforms: ["linux", "darwin"] },
  async probe() {
    if (process.platform !== "win32") return { available: true, version };
    const reason = "Python uses message-mode named pipes on Windows, which Node cannot open; use python-connection/tcp";
    return { available: false, reason };
  },
  async allocate(place) {
    const path = join(place.directory, `py-${distinctName()}.sock`);
    checkSocketPath(path, UNIX_ID);
    return { transport: UNIX_ID, name: path };
  },
  event: overUnix,
  peers: PEERS,
  clients: CLIENTS,
  connectRaw: (address) => connectRawSocket(UNIX_ID, { path: address.name }),
  async residue(address) {
    return pathResidue(address.name);
  },
  async sweep(address) {
    await sweepPath(address.name);
  },
};

/** The same protocol over TCP on the loopback interface. */
export const pythonConnectionTcp: Transport = {
  id: TCP_ID,
  capabilities: { ...COMMON, auth: ["shared-key"], platforms: ["linux", "darwin", "win32"] },
  async probe() {
    return { available: true, version };
  },
  async allocate() {
    return { transport: TCP_ID, name: loopbackName(0) };
  },
  event: overTcp,
  peers: PEERS,
  clients: CLIENTS,
  connectRaw: async (address) => connectRawSocket(TCP_ID, loopbackTarget(TCP_ID, address)),
  residue: (address) => portResidue(TCP_ID, address),
  /** Does nothing: a port is free once its process is gone. */
  async sweep() {},
};
