// Measures the cost beyond `unix`: `node transports/python-connection/python-connection.bench.ts [rounds]`.
//
// Round trips of 64 B and a header: Node to Node over `unix` and `python-connection`, and Node to a Python Listener.
// Every process is pinned to one CPU. Each round is a new client process, whose three connections alternate in blocks
// of 500 round trips. The figure is the median over rounds of the ratio of the p50s; exit code 1 when above 1.10.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Address, Connection, EventTransport, Transport } from "../contract/transport.ts";

const LIMIT = 1.1;
const CPU = "0";
const MESSAGES = 20_000;
const BLOCK = 500;
const BODY = new Uint8Array(80).fill(0xa5);
const PYTHON = `
import sys
from multiprocessing.connection import Listener
with Listener(sys.argv[1], "AF_UNIX") as listener:
    sys.stdout.write(sys.version.split()[0]); sys.stdout.flush()
    while True:
        with listener.accept() as conn:
            try:
                while True: conn.send_bytes(conn.recv_bytes())
            except EOFError: pass
`;

async function transportOf(id: string): Promise<Transport & { readonly event: EventTransport }> {
  const transport =
    id === "unix"
      ? (await import("../sockets/unix.ts")).unix
      : (await import("./python-connection.ts")).pythonConnection;
  if (transport.event === undefined) throw new Error(`${id} has no event face`);
  return { ...transport, event: transport.event };
}

async function serve(id: string, address: Address): Promise<void> {
  const { event } = await transportOf(id);
  await event.listen(address, {
    onOpen() {},
    onClose() {},
    onMessage(message, connection) {
      if (!connection.send(message)) connection.pause();
    },
    onWritable: (connection) => connection.resume(),
  });
  process.stdout.write("ready");
}

/** One connection and the round trips made over it. */
class Caller {
  readonly samples: number[] = [];
  #began = 0;
  #left = 0;
  #connection: Connection | undefined;
  #done: () => void = () => {};
  #failed: (error: Error) => void = () => {};

  async open(id: string, address: Address): Promise<void> {
    this.#connection = await (await transportOf(id)).event.connect(address, {
      onOpen() {},
      onMessage: (message) => this.#returned(message),
      onWritable() {},
      onClose: (_connection, error) => this.#failed(error ?? new Error("closed")),
    });
  }

  #returned(message: Uint8Array): void {
    this.samples.push(performance.now() - this.#began);
    if (message.length !== BODY.length) this.#failed(new Error(`got ${message.length} bytes`));
    else if (--this.#left === 0) this.#done();
    else this.#send();
  }

  #send(): void {
    this.#began = performance.now();
    this.#connection?.send(BODY);
  }

  exchange(count: number): Promise<void> {
    this.#left = count;
    return new Promise((resolve, reject) => {
      this.#done = resolve;
      this.#failed = reject;
      this.#send();
    });
  }

  medianNs(): number {
    return median(this.samples) * 1e6;
  }

  async close(): Promise<void> {
    this.#failed = () => {};
    await this.#connection?.close();
  }
}

/** Prints the median round trip of each, ns. They alternate block by block, so that the machine is the same for all. */
async function call(targets: readonly (readonly [string, Address])[]): Promise<void> {
  const callers = targets.map(() => new Caller());
  for (const [index, [id, address]] of targets.entries()) await callers[index]?.open(id, address);
  const order = [...callers];
  for (let sent = -MESSAGES / 4; sent < MESSAGES; sent += BLOCK) {
    if (sent === 0) for (const { samples } of callers) samples.length = 0;
    for (const caller of order) await caller.exchange(BLOCK);
    order.reverse();
  }
  process.stdout.write(JSON.stringify(callers.map((caller) => caller.medianNs())));
  for (const caller of callers) await caller.close();
}

const SELF = fileURLToPath(import.meta.url);
const node = (...args: string[]): string[] => [process.execPath, SELF, ...args];

async function start(command: readonly string[], servers: ChildProcess[]): Promise<string> {
  const server = spawn("taskset", ["-c", CPU, ...command], { stdio: ["ignore", "pipe", "inherit"] });
  servers.push(server);
  const [said]: Buffer[] = await once(server.stdout, "data");
  return String(said);
}

async function mediansNs(targets: readonly (readonly [string, Address])[]): Promise<number[]> {
  const command = ["-c", CPU, ...node("call", JSON.stringify(targets))];
  const { stdout } = await promisify(execFile)("taskset", command, { timeout: 60_000 });
  return JSON.parse(stdout);
}

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0;
const microseconds = (numbers: readonly number[]): string => `${(median(numbers) / 1000).toFixed(1)} µs`;

async function compare(rounds: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-bench-"));
  const place = { directory, prefix: "ipcmark-bench" };
  const servers: ChildProcess[] = [];
  try {
    const targets: [string, Address][] = [];
    for (const id of ["unix", "python-connection"]) {
      const address = await (await transportOf(id)).allocate(place);
      targets.push([id, address]);
      await start(node("serve", id, JSON.stringify(address)), servers);
    }
    const toPython = await (await transportOf("python-connection")).allocate(place);
    const version = await start(["python3", "-c", PYTHON, toPython.name], servers);
    targets.push(["python-connection", toPython]);
    const p50: number[][] = [];
    for (let round = 0; round < rounds; round++) p50.push(await mediansNs(targets));
    const of = (arm: number): number[] => p50.map((row) => row[arm] ?? Number.NaN);
    const ratios = p50.map(([unix = Number.NaN, ours = Number.NaN]) => ours / unix);
    const ratio = median(ratios);
    process.stdout.write(
      `unix ${microseconds(of(0))}  python-connection ${microseconds(of(1))}  ratio ${ratio.toFixed(3)}  ` +
        `[${ratios.map((one) => one.toFixed(2)).join(" ")}]  to Python ${version} ${microseconds(of(2))}  ` +
        `(p50 of ${MESSAGES}, medians of ${rounds} rounds, one CPU)\n`,
    );
    if (!(ratio <= LIMIT)) process.exitCode = 1;
  } finally {
    for (const server of servers) server.kill("SIGKILL");
    rmSync(directory, { recursive: true });
  }
}

const [role = "7", first = "", address = ""] = process.argv.slice(2);
if (role === "serve") await serve(first, JSON.parse(address));
else if (role === "call") await call(JSON.parse(first));
else await compare(Number(role));
