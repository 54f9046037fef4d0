/**
 * What a careful programmer would write by hand over `node:net`, without our contract: the yardstick of
 * `npm run bench:overhead`. Same framing (u32 length, 16-byte header, body), same verification (id, length, CRC of the
 * body), server and client in processes of their own, pinned by whoever starts them.
 *
 *     node harness/bench/raw-unix-echo.ts server <path>
 *     node harness/bench/raw-unix-echo.ts client <path> <count> <bodyBytes> [warmup]
 *
 * The server prints "listening" and ends when its stdin ends. The client prints one line of JSON:
 * {count, bodyBytes, min, p50, p90, p99, max} in nanoseconds.
 */
import { connect, createServer } from "node:net";
import { crc32 } from "node:zlib";

const PREFIX_BYTES = 4;
const HEADER_BYTES = 16;
const REQUEST = 1;
const REPLY = 2;

function serve(path: string): void {
  const server = createServer((socket) => {
    let rest: Buffer | undefined;
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      let bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
      rest = undefined;
      while (bytes.length >= PREFIX_BYTES) {
        const end = PREFIX_BYTES + bytes.readUInt32LE(0);
        if (bytes.length < end) break;
        const body = bytes.subarray(PREFIX_BYTES + HEADER_BYTES, end);
        const id = bytes.readUInt32LE(PREFIX_BYTES);
        if (checksum(body, id) !== bytes.readUInt32LE(PREFIX_BYTES + 12)) throw new Error("corrupt request");
        // The reply is the request with another kind; the chunk is ours, so it is answered in place.
        bytes[PREFIX_BYTES + 4] = REPLY;
        socket.write(bytes.subarray(0, end));
        bytes = bytes.subarray(end);
      }
      if (bytes.length > 0) rest = bytes;
    });
  });
  server.listen(path, () => process.stdout.write("listening\n"));
  process.stdin.resume().once("end", () => process.exit(0));
}

function measure(path: string, count: number, bodyBytes: number, warmup: number): void {
  const frame = Buffer.alloc(PREFIX_BYTES + HEADER_BYTES + bodyBytes, 0x5a);
  const body = frame.subarray(PREFIX_BYTES + HEADER_BYTES);
  const bodyCrc = crc32(body);
  const samples = new Float64Array(count);
  const reply = Buffer.alloc(frame.length);
  let have = 0;
  let done = -warmup;
  let startedAt = 0n;

  const issue = (): void => {
    const id = (done + warmup) >>> 0;
    frame.writeUInt32LE(frame.length - PREFIX_BYTES, 0);
    frame.writeUInt32LE(id, PREFIX_BYTES);
    frame[PREFIX_BYTES + 4] = REQUEST;
    frame.writeUInt32LE(bodyBytes, PREFIX_BYTES + 8);
    frame.writeUInt32LE((bodyCrc ^ Math.imul(id, 0x9e3779b1)) >>> 0, PREFIX_BYTES + 12);
    startedAt = process.hrtime.bigint();
    socket.write(frame);
  };

  const finish = (): void => {
    socket.destroy();
    samples.sort();
    const at = (quantile: number): number => samples[Math.min(count - 1, Math.floor(quantile * count))] ?? 0;
    const line = { count, bodyBytes, min: at(0), p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  };

  const buffer = Buffer.allocUnsafeSlow(64 * 1024);
  const socket = connect({
    path,
    onread: {
      buffer,
      callback(bytes) {
        if (have + bytes > reply.length) throw new Error("more bytes than one reply");
        buffer.copy(reply, have, 0, bytes);
        have += bytes;
        if (have < reply.length) return true;
        have = 0;
        const id = (done + warmup) >>> 0;
        const sum = checksum(reply.subarray(PREFIX_BYTES + HEADER_BYTES), id);
        const right =
          reply.readUInt32LE(0) === frame.length - PREFIX_BYTES &&
          reply.readUInt32LE(PREFIX_BYTES) === id &&
          reply[PREFIX_BYTES + 4] === REPLY &&
          reply.readUInt32LE(PREFIX_BYTES + 8) === bodyBytes &&
          reply.readUInt32LE(PREFIX_BYTES + 12) === sum;
        if (!right) throw new Error(`wrong reply to ${id}`);
        const elapsed = Number(process.hrtime.bigint() - startedAt);
        if (done >= 0) samples[done] = elapsed;
        done += 1;
        if (done < count) issue();
        else finish();
        return true;
      },
    },
  });
  socket.once("connect", issue);
}

function checksum(body: Uint8Array, id: number): number {
  return (crc32(body) ^ Math.imul(id, 0x9e3779b1)) >>> 0;
}

const [role, path, count = "20000", bodyBytes = "64", warmup = "5000"] = process.argv.slice(2);
if (role === "server" && path !== undefined) serve(path);
else if (role === "client" && path !== undefined) measure(path, Number(count), Number(bodyBytes), Number(warmup));
else {
  process.stderr.write("usage: raw-unix-echo.ts server <path> | client <path> [count] [bodyBytes] [warmup]\n");
  process.exitCode = 2;
}
