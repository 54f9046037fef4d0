/** A peer that a test starts with `launch`: `launched-echo.ts <module> <export>`. Echoes until its parent hangs up. */
import { pathToFileURL } from "node:url";
import type { Transport } from "../../contract/transport.ts";
import { echoHandler } from "./echo-handler.ts";

const [modulePath, exportName] = process.argv.slice(2) as [string, string];
const module = (await import(pathToFileURL(modulePath).href)) as Record<string, Transport>;
const transport = module[exportName] as Transport;
await transport.event?.listen({ transport: transport.id, name: "launched" }, echoHandler);
