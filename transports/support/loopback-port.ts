import { readFile } from "node:fs/promises";
import type { Server as NetServer, TcpNetConnectOpts } from "node:net";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { Address, OsObject } from "../contract/transport.ts";
import { isListening } from "./stream-client.ts";

const BACKLOG = 1024;
/** The only interface used: it cannot be reached from outside this machine. */
const HOST = "127.0.0.1";
/** The address in the form of `/proc/net/tcp`: a little-endian hexadecimal word. */
const PROC_HOST = "0100007F";
const PROC_LISTEN = "0A";

/** Binds and resolves with the port, chosen by the system when `port` is 0. */
export function listenOnLoopback(transport: string, listener: NetServer, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const refused = (error: Error): void => reject(toIpcError(error, transport));
    listener.once("error", refused);
    listener.listen({ host: HOST, port, backlog: BACKLOG, exclusive: true }, () => {
      listener.off("error", refused);
      const bound = listener.address();
      resolve(bound !== null && typeof bound === "object" ? bound.port : port);
    });
  });
}

export function loopbackTarget(transport: string, address: Address): TcpNetConnectOpts {
  const port = portOf(transport, address);
  if (port === 0) {
    const message = `${transport}: ${address.name} has no port yet; connect to the address of the server that listens`;
    throw new IpcError("IPC_PEER_LOST", message, { transport });
  }
  return { host: HOST, port, noDelay: true };
}

/** Returns the port of an address. @throws IpcError IPC_UNSUPPORTED for another host than 127.0.0.1, or a bad port */
export function portOf(transport: string, address: Address): number {
  const [host, digits = "", ...rest] = address.name.split(":");
  const port = Number(digits);
  if (host !== HOST || rest.length > 0 || !/^\d{1,5}$/.test(digits) || port > 65535) {
    const message = `${transport}: "${address.name}" is no address of this transport; use ${HOST}:<port>`;
    throw new IpcError("IPC_UNSUPPORTED", message, { transport });
  }
  return port;
}

/** True when the kernel holds a listener on the port, whoever owns it. */
async function isHeld(port: number): Promise<boolean> {
  if (port === 0) return false;
  if (process.platform !== "linux") return isListening({ host: HOST, port });
  const local = `${PROC_HOST}:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const table = await readFile("/proc/net/tcp", "latin1");
  return table.split("\n").some((line) => {
    const [, from, , state] = line.trim().split(/\s+/);
    return from === local && state === PROC_LISTEN;
  });
}

/** Returns `127.0.0.1:<port>`, the name of the address with this port. */
export function loopbackName(port: number): string {
  return `${HOST}:${port}`;
}

/** Returns the port of an address as its residue if somebody listens there. */
export async function portResidue(transport: string, address: Address): Promise<readonly OsObject[]> {
  return (await isHeld(portOf(transport, address))) ? [{ kind: "port", name: address.name }] : [];
}
