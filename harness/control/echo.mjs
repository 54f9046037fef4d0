// The control: an echo over a child's stdio in plain JavaScript, outside the contract and without any of our code. FROZEN: a change
// here breaks the comparison of old reports with new ones; a test pins the hash of this file.
//
//     node echo.mjs server
//     node echo.mjs client <count> <warmup> -- <command of the server...>
//
// The client prints one line of JSON: {count, p50, p99, max} of the round trip of 64 bytes, ns. Node's stdio pipes are Unix
// socket pairs on Linux.
import { spawn } from "node:child_process";

const BYTES = 64;

if (process.argv[2] === "server") {
  process.stdin.on("data", (chunk) => process.stdout.write(chunk));
  process.stdin.on("end", () => process.exit(0));
} else {
  const split = process.argv.indexOf("--");
  const [count, warmup] = process.argv.slice(3, split).map(Number);
  const [file, ...args] = process.argv.slice(split + 1);
  const server = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
  const message = Buffer.alloc(BYTES, 0x5a);
  const samples = new Float64Array(count);
  let have = 0;
  let done = -warmup;
  let sent = 0n;
  const send = () => {
    sent = process.hrtime.bigint();
    server.stdin.write(message);
  };
  server.stdout.on("data", (chunk) => {
    have += chunk.length;
    if (have < BYTES) return;
    have = 0;
    if (done >= 0) samples[done] = Number(process.hrtime.bigint() - sent);
    done += 1;
    if (done < count) return send();
    samples.sort();
    const at = (q) => samples[Math.max(0, Math.ceil(q * count) - 1)];
    process.stdout.write(`${JSON.stringify({ type: "control", count, p50: at(0.5), p99: at(0.99), max: at(1) })}\n`);
    server.stdin.end();
  });
  server.on("error", () => process.exit(1));
  server.on("close", () => process.exit(done === count ? 0 : 1));
  // Whoever started this is gone: nobody wants the result.
  process.stdin.resume().once("end", () => process.exit(1));
  setTimeout(() => process.exit(1), 20_000).unref();
  send();
}
