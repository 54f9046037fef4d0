import { readFile } from "node:fs/promises";
import type { Server as NetServer, TcpNetConnectOpts } from "node:net";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { Address, OsObject } from "../contract/transport.ts";
import { isListening } from "./stream-client.ts";

const BACKLOG = 1024;
/** The only interface ever used: nothing outside this machine can reach it. */
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

/** @throws IpcError IPC_UNSUPPORTED for any host but 127.0.0.1, and for what is no port. */
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

/** `127.0.0.1:<port>`, the name of such an address. */
export function loopbackName(port: number): string {
  return `${HOST}:${port}`;
}

/** Lists the port of an address while somebody listens there. */
export async function portResidue(transport: string, address: Address): Promise<readonly OsObject[]> {
  return (await isHeld(portOf(transport, address))) ? [{ kind: "port", name: address.name }] : [];
}
