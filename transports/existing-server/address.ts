/** Addresses at which the program of a user listens, and their form as an address of the contract. */
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { IpcError } from "../contract/errors.ts";
import type { Address, OsObject, Place } from "../contract/transport.ts";
import { distinctName } from "../support/distinct-name.ts";
import { listenOnLoopback } from "../support/loopback-port.ts";
import { pathResidue, removeSocket } from "../support/socket-path.ts";
import { checkSocketPath } from "../support/socket-path-limit.ts";
import { isListening } from "../support/stream-client.ts";

/** A Unix socket; on Windows a named pipe. */
export interface PathAddress {
  readonly path: string;
}

export interface PortAddress {
  readonly host: string;
  readonly port: number;
}

/** Address of a server, as `connect` of `node:net` takes it. */
export type ServerAddress = PathAddress | PortAddress;

/** Place at which an address may be made. */
export interface ServerPlace extends Place {
  /** Eight hexadecimal digits, different for each server, since several run side by side. */
  readonly name: string;
}

/** Returns a new path in the private directory of the run. */
export function socketPath({ directory, prefix, name }: ServerPlace): PathAddress {
  return { path: process.platform === "win32" ? `\\\\.\\pipe\\${prefix}-${name}` : join(directory, `${name}.sock`) };
}

/** Returns a port of the loopback interface that is free now. */
export async function loopbackPort(): Promise<PortAddress> {
  const host = "127.0.0.1";
  const server = createServer();
  const port = await listenOnLoopback(host, server, 0);
  await promisify(server.close.bind(server))();
  return { host, port };
}

/** Returns the place for one more server. */
export function placeOf({ directory, prefix }: Place): ServerPlace {
  return { directory, prefix, name: distinctName() };
}

/** @throws IpcError IPC_UNSUPPORTED for anything but an address, or for a path that is too long for a socket */
export function addressOf(transport: string, where: Partial<PathAddress & PortAddress> | undefined): Address {
  if (typeof where?.path === "string") {
    checkSocketPath(where.path, transport);
    return { transport, name: where.path };
  }
  if (typeof where?.host === "string" && Number.isInteger(where.port)) {
    const { host, port = 0 } = where;
    return { transport, name: `${host}:${port}`, options: { host, port } };
  }
  throw new IpcError("IPC_UNSUPPORTED", `${transport}: address must return { path } or { host, port }`, { transport });
}

export function whereOf({ name, options }: Address): ServerAddress {
  const { host, port } = options ?? {};
  return typeof host === "string" && typeof port === "number" ? { host, port } : { path: name };
}

/** True if somebody accepts connections there. */
export function isServed(where: ServerAddress): Promise<boolean> {
  return isListening(where).catch(() => false);
}

export async function residueOf(address: Address): Promise<readonly OsObject[]> {
  const where = whereOf(address);
  if ("port" in where) return (await isServed(where)) ? [{ kind: "port", name: address.name }] : [];
  return process.platform === "win32" ? [] : pathResidue(where.path, address.transport);
}

/** Removes the socket of a program that was killed. A port needs no removal: it is free once its process is gone. */
export function sweepAddress(address: Address): void {
  const where = whereOf(address);
  if ("path" in where && process.platform !== "win32") removeSocket(where.path, address.transport);
}
