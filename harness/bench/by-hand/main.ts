/**
 * An echo over one library, with and without our contract: the processes of `harness/bench/overhead.ts`.
 *
 *     node main.ts server <ours|theirs> <id> <directory>
 *     node main.ts client <ours|theirs> <id> <where> <bodyBytes>
 *
 * The server prints where it listens and ends when its stdin ends. The client takes turns, see `turns.ts`. Ids without
 * a server (loopback, channel/*, worker/port) take "" as <where>.
 */

import type { EchoArm } from "./arm.ts";
import { ARMS } from "./arms.ts";
import { Load } from "./load.ts";
import { Turns } from "./turns.ts";

const [role, first = "", id = "", where = "", bodyBytes = "64"] = process.argv.slice(2);

async function arm(name: string): Promise<EchoArm> {
  const found = ARMS[name];
  if (found === undefined) throw new Error(`no arm "${name}"; there are ${Object.keys(ARMS).join(", ")}`);
  return found();
}

async function server(): Promise<void> {
  const address =
    first === "ours"
      ? await (await import("./contract.ts")).serveContract(id, where)
      : await (await arm(id)).serve?.(where);
  process.stdout.write(`${address ?? ""}\n`);
  process.stdin.resume().once("end", () => process.exit(0));
}

async function client(): Promise<void> {
  const turns = new Turns();
  if (first === "ours") await (await import("./contract.ts")).exchangeContract(id, where, turns, Number(bodyBytes));
  else await (await arm(id)).exchange(where, new Load(turns, Number(bodyBytes)));
  // The in-process arms keep their listening side open.
  process.exit(0);
}

switch (role) {
  case "server":
    await server();
    break;
  case "client":
    await client();
    break;
  case "peer":
    await (await arm(first)).peer?.();
    break;
  case "contract-peer":
    await (await import("./contract.ts")).peerContract(first);
    break;
  default:
    process.stderr.write("usage: main.ts server|client ours|theirs <id> <directory or address> [bytes]\n");
    process.exitCode = 2;
}
