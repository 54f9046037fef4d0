import { pathToFileURL } from "node:url";
import type { Transport } from "../../transports/contract/transport.ts";
import { REGISTRY } from "../../transports/registry.ts";
import type { TransportReference } from "./messages.ts";

/** Imports only the module that defines this transport. @throws Error naming the id or the module. */
export async function loadTransport(reference: TransportReference): Promise<Transport> {
  if (reference.module !== null) {
    const registered = await fromRegistry(reference.module, reference.id);
    if (registered !== undefined) return registered;
    const found = (await loadModule(reference.module)).find((transport) => transport.id === reference.id);
    if (found === undefined) throw new Error(`${reference.module} exports no transport named ${reference.id}`);
    return found;
  }
  const registration = REGISTRY.find(({ id }) => id === reference.id);
  if (registration === undefined) throw new Error(`unknown transport ${reference.id}`);
  return registration.load();
}

/** The base of a gate is another checkout's registry: it is loaded by path, with the modules of that checkout. */
async function fromRegistry(path: string, id: string): Promise<Transport | undefined> {
  const module: { REGISTRY?: typeof REGISTRY } = await import(pathToFileURL(path).href);
  return module.REGISTRY?.find((entry) => entry.id === id)?.load();
}

/** The transports a user's module exports by default. @throws Error when it exports none. */
export async function loadModule(path: string): Promise<readonly Transport[]> {
  const module: { default?: unknown } = await import(pathToFileURL(path).href);
  const list = Array.isArray(module.default) ? module.default : [module.default];
  for (const candidate of list) {
    if (!isTransport(candidate)) {
      throw new Error(`${path}: the default export must be a Transport or a list of them`);
    }
  }
  return list;
}

function isTransport(value: unknown): value is Transport {
  if (typeof value !== "object" || value === null) return false;
  const { id, capabilities, probe, allocate, event, blocking } = value as Partial<Transport>;
  return (
    typeof id === "string" &&
    typeof capabilities === "object" &&
    typeof probe === "function" &&
    typeof allocate === "function" &&
    (typeof event === "object" || typeof blocking === "object")
  );
}
