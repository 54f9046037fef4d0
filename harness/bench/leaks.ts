import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Address, Transport } from "../../transports/contract/transport.ts";
import { REGISTRY } from "../../transports/registry.ts";

/**
 * `npm run bench:leaks`: what stays behind in this process. Ten million messages through a blocking connection, then ten
 * thousand connections opened and closed; before and after: heap, resident memory, lines of /proc/self/maps, descriptors.
 * Options: `--transport shm/futex --messages 10000000 --cycles 10000`. Exits with 10 when something grew.
 */
const { values } = parseArgs({
  options: {
    transport: { type: "string", default: "shm/futex" },
    messages: { type: "string", default: "10000000" },
    cycles: { type: "string", default: "10000" },
    serve: { type: "string" },
  },
});
const transport = (await REGISTRY.find(({ id }) => id === values.transport)?.load()) as Transport;
if (transport?.blocking === undefined) throw new Error(`${values.transport} is no transport with a blocking face`);
const blocking = transport.blocking;
const BYTES = 80;
const SLICE_MS = 100;

function serve(address: Address): void {
  const server = blocking.listen(address);
  const into = new Uint8Array(8192);
  const reply = into.subarray(0, BYTES);
  writeSync(1, "listening\n");
  for (const parent = process.ppid; process.ppid === parent; ) {
    if (server.receive(into, SLICE_MS) < 0) continue;
    // One byte that says: this one wants an answer.
    if (into[0] === 1) server.from?.send(reply, SLICE_MS);
  }
  server[Symbol.dispose]();
}

interface Use {
  readonly heapBytes: number;
  readonly residentBytes: number;
  readonly maps: number;
  readonly descriptors: number;
}

function use(): Use {
  // Without --expose-gc the heap still holds garbage: start with it for the exact figure.
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const maps = readFileSync("/proc/self/maps", "latin1").split("\n").length;
  return { heapBytes: heapUsed, residentBytes: rss, maps, descriptors: readdirSync("/proc/self/fd").length };
}

function print(what: string, before: Use, after: Use): void {
  const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KiB`;
  writeSync(
    1,
    `${what}: heap ${kilobytes(after.heapBytes - before.heapBytes)}, resident ${kilobytes(after.residentBytes - before.residentBytes)}, ` +
      `maps ${before.maps} -> ${after.maps}, descriptors ${before.descriptors} -> ${after.descriptors}\n`,
  );
}

async function drive(): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-"));
  const address = await transport.allocate({ directory, prefix: `ipcmark-${randomBytes(8).toString("hex")}` });
  const args = [import.meta.filename, "--transport", transport.id, "--serve", JSON.stringify(address)];
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await once(child.stdout, "data");
    const connection = blocking.connect(address, 10_000);
    const message = new Uint8Array(BYTES);
    const into = new Uint8Array(8192);
    const exchange = (count: number): void => {
      for (let i = 1; i <= count; i++) {
        // Every thousandth is answered, so that both directions and the waiting take part.
        message[0] = i % 1000 === 0 ? 1 : 0;
        while (!connection.send(message, SLICE_MS));
        if (message[0] === 1) while (connection.receive(into, SLICE_MS) < 0);
      }
    };
    const messages = Number(values.messages);
    exchange(messages / 10);
    const first = use();
    exchange(messages);
    const second = use();
    print(`${transport.id}, ${messages} messages`, first, second);
    connection[Symbol.dispose]();
    const cycle = (): void => blocking.connect(address, 10_000)[Symbol.dispose]();
    for (let i = 0; i < 500; i++) cycle();
    const third = use();
    for (let i = 0; i < Number(values.cycles); i++) cycle();
    const fourth = use();
    print(`${transport.id}, ${values.cycles} connections`, third, fourth);
    const calm =
      second.heapBytes - first.heapBytes < 2 ** 20 && fourth.residentBytes - third.residentBytes < 10 * 2 ** 20;
    return calm && fourth.descriptors === third.descriptors && fourth.maps - third.maps < 50;
  } finally {
    child.kill("SIGKILL");
    await transport.sweep(address);
    rmSync(directory, { recursive: true, force: true });
  }
}

if (values.serve !== undefined) serve(JSON.parse(values.serve) as Address);
else process.exitCode = (await drive()) ? 0 : 10;
