// The wake-up canary measures how late this machine wakes a sleeping process. One process sleeps in read(2); the other
// writes the time into the pipe and sleeps again. The difference of two readings of CLOCK_MONOTONIC is the delay.
//
//     node canary.mjs sleeper <count>
//     node canary.mjs waker <count> -- <command of the sleeper...>
//
// For each line on its stdin the waker wakes the sleeper that many times and prints one line of JSON:
// {type: "canary", count, delays: base64 of little-endian f64, ns}. Between lines both sleep; they end with that stdin.
import { spawn } from "node:child_process";
import { readSync } from "node:fs";

const STAMP_BYTES = 8;
// Long enough for the reader to sleep and its CPU to idle, short enough for some hundreds in 100 ms.
const PAUSE_MS = 0.2;

const count = Number(process.argv[3]);
if (process.argv[2] === "sleeper") sleep();
else wake();

function sleep() {
  const delays = new Float64Array(count);
  process.stdout.write("ready\n");
  for (let index = 0; ; index = (index + 1) % count) {
    const sent = nextStamp();
    delays[index] = Number(process.hrtime.bigint() - sent);
    if (index < count - 1) continue;
    const text = Buffer.from(delays.buffer).toString("base64");
    process.stdout.write(`${JSON.stringify({ type: "canary", count, delays: text })}\n`);
  }
}

function nextStamp() {
  const stamp = Buffer.alloc(STAMP_BYTES);
  for (let have = 0; have < STAMP_BYTES; ) {
    const bytes = readSync(0, stamp, have, STAMP_BYTES - have, null);
    if (bytes === 0) process.exit(0);
    have += bytes;
  }
  return stamp.readBigUInt64LE(0);
}

function wake() {
  const [file, ...args] = process.argv.slice(process.argv.indexOf("--") + 1);
  const sleeper = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const stamp = Buffer.alloc(STAMP_BYTES);
  let asked = 0;
  let ready = false;
  const serve = () => {
    for (; ready && asked > 0; asked--) {
      for (let index = 0; index < count; index++) {
        // Sleeps in the kernel, not in the event loop, whose timers have a grain of 1 ms.
        Atomics.wait(cell, 0, 0, PAUSE_MS);
        stamp.writeBigUInt64LE(process.hrtime.bigint(), 0);
        // Node hands small writes to the kernel at once.
        sleeper.stdin.write(stamp);
      }
    }
  };
  sleeper.stdout.setEncoding("utf8").on("data", (chunk) => {
    const said = ready ? chunk : chunk.replace("ready\n", "");
    ready = true;
    if (said !== "") process.stdout.write(said);
    serve();
  });
  let ended = false;
  sleeper.stdin.on("error", () => process.exit(1));
  sleeper.on("error", () => process.exit(1));
  sleeper.on("close", () => process.exit(ended ? 0 : 1));
  process.stdin.setEncoding("utf8").on("data", (chunk) => {
    asked += chunk.split("\n").length - 1;
    serve();
  });
  process.stdin.once("end", () => {
    ended = true;
    sleeper.stdin.end();
  });
}
