/**
 * Compares the figures of `clients-memory` with a reading of its own: `npm run bench:memory [-- --clients 10,100]`.
 *
 * The reading shares only the server's program with the harness. It starts that by `child_process`, talks to it over a
 * plain stream, and sums `Private_Clean` and `Private_Dirty` over the single mappings of `/proc/<pid>/smaps`. Exit code
 * 10 where the two differ by more than 25 %.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Duplex, Readable, Writable } from "node:stream";
import { Kind } from "../../transports/contract/frame.ts";
import { CONTROL_ARGS, CONTROL_FD } from "../process/control-fd.ts";
import { nodeCommand, SETTLING_VARIABLES } from "../process/node-command.ts";
import { createPlace, removePlace } from "../process/place.ts";
import { EXIT } from "../results/exit-codes.ts";
import { bytes } from "../results/format.ts";
import { median } from "../results/quantiles.ts";
import { perClient } from "../results/server-memory.ts";
import { buildFrame } from "../rpc/message.ts";
import { measureCells } from "./measure-cells.ts";
import { benchOptions, countOf } from "./options.ts";

const LARGEST_DIFFERENCE = 0.25;
const BODY_BYTES = 64;
/** Requests of a client, and of the first one of a shared server in each of its trials, as in the model. */
const EXCHANGES = 3;
const FIRST_EXCHANGES = [200, 250, 300, 350, 400, 450, 500] as const;

const values = benchOptions({ clients: { type: "string", default: "10,100" } });
const numbers = values.clients.split(",").map((text) => countOf("clients", text, 2));
const place = await createPlace();

interface Server {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly stream: { readonly input: Readable; readonly output: Writable };
}

/** Starts the server's program and waits for its line `ready`. */
async function start(id: "unix" | "stdio", path: string): Promise<Server> {
  const [file, ...args] = nodeCommand("peer/main", [], CONTROL_ARGS);
  const env = { ...process.env, ...SETTLING_VARIABLES, NODE_COMPILE_CACHE: join(place.directory, "cache") };
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit", "pipe"], env });
  const control = child.stdio[CONTROL_FD] as Duplex;
  const address = { transport: id, name: path };
  const line = { type: "start", transport: { id, module: null }, mode: "event", address, key: null };
  control.write(`${JSON.stringify(line)}\n`);
  await once(control, "data");
  const stream = { input: child.stdout as Readable, output: child.stdin as Writable };
  return { child, pid: child.pid as number, stream };
}

/** Sends requests with a length prefix, one after the other, and waits for as many bytes as each has. */
async function exchange({ input, output }: Server["stream"], count: number): Promise<void> {
  for (let id = 1; id <= count; id++) {
    const frame = buildFrame(Kind.request, id, 0, 0, new Uint8Array(BODY_BYTES));
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32LE(frame.length);
    output.write(Buffer.concat([prefix, frame]));
    for (let got = 0; got < prefix.length + frame.length; ) {
      const [chunk] = (await once(input, "data")) as [Buffer];
      got += chunk.length;
    }
  }
}

function privateBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const found = readFileSync(`/proc/${pid}/smaps`, "latin1").matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm);
    return sum + [...found].reduce((total, [, kibibytes]) => total + 1024 * Number(kibibytes), 0);
  }, 0);
}

/** Returns what each client adds, from the first to the last. */
async function readAlone(id: "unix" | "stdio", clients: number, firstExchanges: number): Promise<number> {
  const servers: Server[] = [];
  const sockets: Duplex[] = [];
  let one = 0;
  try {
    for (let client = 0; client < clients; client++) {
      const path = join(place.directory, `s${clients}-${firstExchanges}`);
      if (id === "stdio" || servers.length === 0) servers.push(await start(id, path));
      const server = servers.at(-1) as Server;
      if (id === "stdio") await exchange(server.stream, EXCHANGES);
      else {
        const socket = connect(path);
        sockets.push(socket);
        await once(socket, "connect");
        await exchange({ input: socket, output: socket }, client === 0 ? firstExchanges : EXCHANGES);
      }
      if (client === 0) one = privateBytes([server.pid]);
    }
    return (privateBytes(servers.map(({ pid }) => pid)) - one) / (clients - 1);
  } finally {
    for (const socket of sockets) socket.destroy();
    for (const { child } of servers) child.kill("SIGKILL");
  }
}

try {
  for (const id of ["unix", "stdio"] as const) {
    for (const clients of numbers) {
      // The children of a parent have no steps: each is as large as the next.
      const firsts = id === "unix" ? FIRST_EXCHANGES : FIRST_EXCHANGES.slice(0, 1);
      const readings: number[] = [];
      for (const first of firsts) readings.push(await readAlone(id, clients, first));
      const alone = median(readings);
      const references = [{ id, module: null }];
      const cells = { benchmark: "clients-memory", variant: { clients }, trials: firsts.length, messages: 1, seed: 1 };
      const [row] = await measureCells({ references, placement: "unpinned", ...cells });
      const memory = row?.serverMemory;
      if (memory === undefined) throw new Error(`${id}: the row has no memory`);
      const figure = perClient(memory, clients).privateBytes;
      const difference = figure / alone - 1;
      const percent = `${(100 * difference).toFixed(1)} %`;
      process.stdout.write(
        `${id}, ${clients} clients: ${bytes(figure)} each, read alone ${bytes(alone)}: ${percent}\n`,
      );
      if (Math.abs(difference) > LARGEST_DIFFERENCE) process.exitCode = EXIT.checkFailed;
    }
  }
} finally {
  await removePlace(place);
}
