// Round trips of 64 B between two unpinned processes: `node transports/file-drop/file-drop.bench.ts`.
// Exits with 1 when the median of file-drop/watch is 2 ms or more.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Address, Transport } from "../contract/transport.ts";
import { fileDropPoll, fileDropWatch } from "./file-drop.ts";

const BODY = new Uint8Array(64).fill(0xa5);
const LIMIT_MS = 2;

async function roundTripsMs(transport: Transport, address: Address, count: number): Promise<number[]> {
  const samples: number[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let began = 0;
  const connection = await transport.event?.connect(address, {
    onOpen() {},
    onMessage(message, at) {
      if (message.length !== BODY.length) reject(new Error(`got ${message.length} bytes`));
      samples.push(performance.now() - began);
      if (samples.length === count) return resolve();
      began = performance.now();
      at.send(BODY);
    },
    onWritable() {},
    onClose: (_connection, error) => reject(error ?? new Error("closed")),
  });
  began = performance.now();
  connection?.send(BODY);
  await promise;
  await connection?.close();
  return samples.slice(count / 10).sort((a, b) => a - b);
}

async function measure(transport: Transport, options: Address["options"], count: number): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-bench-"));
  const address = {
    ...(await transport.allocate({ directory, prefix: "ipcmark-bench" })),
    ...(options && { options }),
  };
  const fixture = fileURLToPath(new URL("fixture/echo-server.ts", import.meta.url));
  const server = spawn(process.execPath, [fixture, transport.id, address.name, JSON.stringify(options ?? {})], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    await once(server.stdout, "data");
    const samples = await roundTripsMs(transport, address, count);
    const at = (share: number): number => samples[Math.floor(samples.length * share)] ?? Number.NaN;
    const figures = [0.5, 0.9, 0.99].map((share) => `p${share * 100} ${at(share).toFixed(3)} ms`).join("  ");
    process.stdout.write(
      `${transport.id} ${JSON.stringify(options ?? {})}: ${figures}  (${samples.length} round trips)\n`,
    );
    return at(0.5);
  } finally {
    server.stdin.end();
    await once(server, "exit");
    rmSync(directory, { recursive: true });
  }
}

const median = await measure(fileDropWatch, undefined, 4000);
await measure(fileDropWatch, { raw: true }, 4000);
await measure(fileDropWatch, { fsync: true }, 200);
await measure(fileDropPoll, undefined, 400);
if (!(median < LIMIT_MS)) {
  process.stderr.write(`file-drop/watch: the median of ${median.toFixed(3)} ms is not below ${LIMIT_MS} ms\n`);
  process.exitCode = 1;
}
