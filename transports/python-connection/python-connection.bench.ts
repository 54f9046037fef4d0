// Round trips of 64 B, Node to Node, over `unix` and `python-connection` in turns, and to a Python Listener:
// `node transports/python-connection/python-connection.bench.ts [rounds]`. Exits with 1 when the ratio of the medians
// is above 1.10: of each arm's rounds the best counts, because everything else on a busy machine only adds to a median.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Address, Transport } from "../contract/transport.ts";

const LIMIT = 1.1;
const MESSAGES = 20_000;
const BODY = new Uint8Array(80).fill(0xa5);
const SERVER = `
const [module, name, address] = process.argv.slice(1);
const transport = (await import(module))[name];
const handler = {
  onOpen() {}, onClose() {},
  onMessage(message, connection) { if (!connection.send(message)) connection.pause(); },
  onWritable(connection) { connection.resume(); },
};
const server = await transport.event.listen(JSON.parse(address), handler);
process.stdout.write("ready");
process.stdin.on("end", () => server.close().then(() => process.exit(0))).resume();
`;
const PYTHON = `
import sys, threading
from multiprocessing.connection import Listener
with Listener(sys.argv[1], "AF_UNIX") as listener:
    sys.stdout.write(sys.version.split()[0]); sys.stdout.flush()
    with listener.accept() as conn:
        try:
            while True: conn.send_bytes(conn.recv_bytes())
        except EOFError: pass
`;

async function medianNs(transport: Transport, address: Address): Promise<number> {
  const samples = new Float64Array(MESSAGES);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let count = -MESSAGES / 4;
  let began = 0;
  const connection = await transport.event?.connect(address, {
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
  connection?.send(BODY);
  await promise;
  await connection?.close();
  return (samples.sort()[MESSAGES / 2] ?? Number.NaN) * 1e6;
}

async function trial(command: readonly string[], transport: Transport, address: Address): Promise<[number, string]> {
  const [file = "", ...rest] = command;
  const server = spawn(file, rest, { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const [said]: Buffer[] = await once(server.stdout, "data");
    return [await medianNs(transport, address), String(said)];
  } finally {
    server.stdin.end();
    await once(server, "exit");
  }
}

const rounds = Number(process.argv[2] ?? 7);
const directory = mkdtempSync(join(tmpdir(), "ipcmark-bench-"));
const place = { directory, prefix: "ipcmark-bench" };
const arms = [
  { module: "../sockets/unix.ts", name: "unix" },
  { module: "./python-connection.ts", name: "pythonConnection" },
] as const;
const results = new Map<string, number[]>();
try {
  for (let round = 0; round < rounds; round++) {
    for (const { module, name } of round % 2 === 0 ? arms : arms.toReversed()) {
      const path = fileURLToPath(new URL(module, import.meta.url));
      const transport: Transport = (await import(path))[name];
      const address = await transport.allocate(place);
      const server = [process.execPath, "--input-type=module", "-e", SERVER, path, name, JSON.stringify(address)];
      const [ns] = await trial(server, transport, address);
      results.set(name, [...(results.get(name) ?? []), ns]);
    }
  }
  const { pythonConnection } = await import("./python-connection.ts");
  const address = await pythonConnection.allocate(place);
  const [pythonNs, version] = await trial(["python3", "-c", PYTHON, address.name], pythonConnection, address);
  const [unixNs, nodeNs] = [
    Math.min(...(results.get("unix") ?? [])),
    Math.min(...(results.get("pythonConnection") ?? [])),
  ];
  const microseconds = (ns: number): string => `${(ns / 1000).toFixed(1)} µs`;
  const ratio = nodeNs / unixNs;
  process.stdout.write(
    `unix ${microseconds(unixNs)}  python-connection ${microseconds(nodeNs)}  ratio ${ratio.toFixed(3)}  ` +
      `to Python ${version} ${microseconds(pythonNs)}  (p50, best of ${rounds} rounds of ${MESSAGES})\n`,
  );
  if (!(ratio <= LIMIT)) process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true });
}
