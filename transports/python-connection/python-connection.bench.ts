// What this protocol costs beyond `unix`: `node transports/python-connection/python-connection.bench.ts [rounds]`.
//
// Round trips of 64 B and a header, Node to Node over `unix` and over `python-connection`, and Node to a Python Listener. Every
// process is pinned to one CPU. The servers stay up; each round gives each arm a fresh client, in an order that alternates.
// The figure is the median over rounds of the ratio of the two p50; exit code 1 when it is above 1.10.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Address, EventTransport, Transport } from "../contract/transport.ts";

const LIMIT = 1.1;
const CPU = "0";
const MESSAGES = 20_000;
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
const ARMS = ["unix", "python-connection"] as const;

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

/** Prints the median round trip in nanoseconds. */
async function call(id: string, address: Address): Promise<void> {
  const samples = new Float64Array(MESSAGES);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let count = -MESSAGES / 4;
  let began = 0;
  const connection = await (await transportOf(id)).event.connect(address, {
    onOpen() {},
    onMessage(message, at) {
      const now = performance.now();
      if (message.length !== BODY.length) reject(new Error(`got ${message.length} bytes`));
      if (count >= 0) samples[count] = now - began;
      count += 1;
      if (count === MESSAGES) {
        resolve();
        return;
      }
      began = performance.now();
      at.send(BODY);
    },
    onWritable() {},
    onClose: (_connection, error) => reject(error ?? new Error("closed")),
  });
  connection.send(BODY);
  await promise;
  await connection.close();
  process.stdout.write(String((samples.sort()[MESSAGES / 2] ?? Number.NaN) * 1e6));
}

const SELF = fileURLToPath(import.meta.url);
const node = (...args: string[]): string[] => [
  process.execPath,
  "--disable-warning=ExperimentalWarning",
  SELF,
  ...args,
];

async function start(command: readonly string[], servers: ChildProcess[]): Promise<string> {
  const server = spawn("taskset", ["-c", CPU, ...command], { stdio: ["ignore", "pipe", "inherit"] });
  servers.push(server);
  const [said]: Buffer[] = await once(server.stdout, "data");
  return String(said);
}

async function medianNs(id: string, address: Address): Promise<number> {
  const command = ["-c", CPU, ...node("call", id, JSON.stringify(address))];
  const { stdout } = await promisify(execFile)("taskset", command, { timeout: 60_000 });
  return Number(stdout);
}

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0;
const microseconds = (numbers: readonly number[]): string => `${(median(numbers) / 1000).toFixed(1)} µs`;

async function compare(rounds: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-bench-"));
  const place = { directory, prefix: "ipcmark-bench" };
  const servers: ChildProcess[] = [];
  const p50 = { unix: [] as number[], "python-connection": [] as number[], python: [] as number[] };
  try {
    const addresses = new Map<string, Address>();
    for (const id of ARMS) {
      const address = await (await transportOf(id)).allocate(place);
      addresses.set(id, address);
      await start(node("serve", id, JSON.stringify(address)), servers);
    }
    const toPython = await (await transportOf("python-connection")).allocate(place);
    const version = await start(["python3", "-c", PYTHON, toPython.name], servers);
    for (let round = 0; round < rounds; round++) {
      for (const id of round % 2 === 0 ? ARMS : ARMS.toReversed()) {
        p50[id].push(await medianNs(id, addresses.get(id) as Address));
      }
      if (round < 3) p50.python.push(await medianNs("python-connection", toPython));
    }
    const ratios = p50["python-connection"].map((ns, round) => ns / (p50.unix[round] ?? Number.NaN));
    const ratio = median(ratios);
    process.stdout.write(
      `unix ${microseconds(p50.unix)}  python-connection ${microseconds(p50["python-connection"])}  ratio ${ratio.toFixed(3)}  ` +
        `[${ratios.map((one) => one.toFixed(2)).join(" ")}]  to Python ${version} ${microseconds(p50.python)}  ` +
        `(p50 of ${MESSAGES}, medians of ${rounds} rounds, one CPU)\n`,
    );
    if (!(ratio <= LIMIT)) process.exitCode = 1;
  } finally {
    for (const server of servers) server.kill("SIGKILL");
    rmSync(directory, { recursive: true });
  }
}

const [role = "11", id = "", address = ""] = process.argv.slice(2);
if (role === "serve") await serve(id, JSON.parse(address));
else if (role === "call") await call(id, JSON.parse(address));
else await compare(Number(role));
