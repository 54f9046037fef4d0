// The wake-up canary: how late does this machine wake a sleeping process? One process sleeps in read(2); the other writes the time
// into the pipe and sleeps again. The difference of the two readings of CLOCK_MONOTONIC is the delay. No event loop takes part.
//
//     node canary.mjs sleeper
//     node canary.mjs waker <count> -- <command of the sleeper...>
//
// The sleeper prints one line of JSON through the waker: {count, delays: base64 of little-endian f64, ns}.
import { spawn } from "node:child_process";
import { readSync } from "node:fs";

const STAMP_BYTES = 8;
// Long enough for the reader to be asleep and its CPU to be idle, short enough for some hundreds in a tenth of a second.
const PAUSE_MS = 0.3;

if (process.argv[2] === "sleeper") {
  const stamp = Buffer.alloc(STAMP_BYTES);
  const delays = [];
  process.stdout.write("ready\n");
  for (;;) {
    let have = 0;
    while (have < STAMP_BYTES) {
      const bytes = readSync(0, stamp, have, STAMP_BYTES - have, null);
      if (bytes === 0) {
        // The other end closed: this was the last one.
        const kept = Float64Array.from(delays);
        const text = Buffer.from(kept.buffer).toString("base64");
        process.stdout.write(`${JSON.stringify({ type: "canary", count: kept.length, delays: text })}\n`);
        process.exit(0);
      }
      have += bytes;
    }
    delays.push(Number(process.hrtime.bigint() - stamp.readBigUInt64LE(0)));
  }
} else {
  const split = process.argv.indexOf("--");
  const count = Number(process.argv[3]);
  const [file, ...args] = process.argv.slice(split + 1);
  const sleeper = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const stamp = Buffer.alloc(STAMP_BYTES);
  let text = "";
  let woken = false;
  sleeper.stdout.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
    if (woken || !text.startsWith("ready\n")) return;
    woken = true;
    for (let index = 0; index < count; index++) {
      // Sleeps in the kernel and not in the event loop, whose timers have a grain of 1 ms.
      Atomics.wait(cell, 0, 0, PAUSE_MS);
      stamp.writeBigUInt64LE(process.hrtime.bigint(), 0);
      // Node hands small writes to the kernel at once.
      sleeper.stdin.write(stamp);
    }
    sleeper.stdin.end();
  });
  sleeper.on("error", () => process.exit(1));
  sleeper.on("close", (code) => {
    process.stdout.write(text.slice("ready\n".length));
    process.exit(code === 0 ? 0 : 1);
  });
  process.stdin.resume().once("end", () => process.exit(1));
  setTimeout(() => process.exit(1), 20_000).unref();
}
