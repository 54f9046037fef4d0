/**
 * An echo over one library, with and without our contract.
 *
 *     node main.ts server <ours|theirs> <id> <directory>
 *     node main.ts client <ours|theirs> <id> <where> [count] [bodyBytes] [warmup]
 *
 * The server prints where it listens and ends when its stdin ends. The client prints one line of JSON, nanoseconds:
 * {count, bodyBytes, min, p50, p90, p99, max}. Ids without a server (channel/*, worker/port) take "" as <where>.
 */
import { ARMS, type EchoArm } from "./arm.ts";
import { Load } from "./load.ts";

const [role, first = "", id = "", where = "", count = "10000", bodyBytes = "64", warmup = "2000"] =
  process.argv.slice(2);

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
  const plan = [Number(count), Number(bodyBytes), Number(warmup)] as const;
  if (first === "ours") {
    const { exchangeContract } = await import("./contract.ts");
    process.stdout.write(`${JSON.stringify(await exchangeContract(id, where, ...plan))}\n`);
  } else {
    const load = new Load(...plan);
    await (await arm(id)).exchange(where, load);
    process.stdout.write(`${JSON.stringify(load.result())}\n`);
  }
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
    process.stderr.write(
      "usage: main.ts server|client ours|theirs <id> <directory or address> [count] [bytes] [warmup]\n",
    );
    process.exitCode = 2;
}
