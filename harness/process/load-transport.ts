import type { Transport } from "../../transports/contract/transport.ts";
import { REGISTRY, type Registration } from "../../transports/registry.ts";
import { importTested } from "./import-tested.ts";
import type { TransportReference } from "./messages.ts";
import { isObject, shown } from "./rules.ts";

/**
 * Imports only the module of this transport. It may be a module of a user, so only drivers, peers and inspectors call
 * this.
 *
 * @throws Error naming the id or the module
 */
export async function loadTransport({ id, module }: TransportReference): Promise<Transport> {
  if (module !== null) {
    const { transports } = await exportsOf(module, [id]);
    const found = transports.find((exported) => isObject(exported) && exported["id"] === id);
    if (found === undefined) throw new Error(`${module} exports no transport named ${id}`);
    return found as Transport;
  }
  const registration = REGISTRY.find((entry) => entry.id === id);
  if (registration === undefined) throw new Error(`unknown transport ${id}`);
  return registration.load();
}

export interface ModuleExports {
  /** Exports. Those of a user's module may be something else than transports. */
  readonly transports: readonly unknown[];
  /** True for the registry of another checkout (the base of a gate), which may have an older contract. */
  readonly isRegistry: boolean;
}

/**
 * Returns the default exports of a module, one value or a list. From a registry it loads the transports with these ids.
 *
 * @throws Error when no export can be a transport
 */
export async function exportsOf(path: string, ids: readonly string[] | null): Promise<ModuleExports> {
  const module = (await importTested(path)) as { default?: unknown; REGISTRY?: readonly Registration[] };
  if (module.REGISTRY !== undefined) {
    const wanted = module.REGISTRY.filter(({ id }) => ids === null || ids.includes(id));
    return { transports: await Promise.all(wanted.map((entry) => entry.load())), isRegistry: true };
  }
  const { default: exported } = module;
  const transports: readonly unknown[] = Array.isArray(exported) ? exported : [exported];
  if (transports.length === 0 || (transports.length === 1 && !isObject(transports[0]))) {
    const found = transports.length === 0 ? "an empty list" : shown(transports[0]);
    throw new Error(`the default export is ${found} and must be a Transport or a list of them`);
  }
  return { transports, isRegistry: false };
}
