/** Peer for `launch`: `launched-echo.ts <module> <export>`, or `registry <id>`. Echoes until its parent hangs up. */
import { pathToFileURL } from "node:url";
import type { Transport } from "../contract/transport.ts";
import { echoHandler } from "./echo-handler.ts";

const [source, name] = process.argv.slice(2) as [string, string];
const transport = source === "registry" ? await registered() : await exported();
await transport.event?.listen({ transport: transport.id, name: "launched" }, echoHandler);

async function exported(): Promise<Transport> {
  const module = (await import(pathToFileURL(source).href)) as Record<string, Transport>;
  return module[name] as Transport;
}

async function registered(): Promise<Transport> {
  const { REGISTRY } = await import("../registry.ts");
  const found = REGISTRY.find(({ id }) => id === name);
  if (found === undefined) throw new Error(`no transport "${name}"`);
  return found.load();
}
