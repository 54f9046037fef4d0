// An idle-priority load. Its parent pins it and gives it SCHED_IDLE: it runs only when the CPU is idle, so that a
// virtual CPU never halts. Ends with its stdin, and when its parent is another process than the one named:
//
//     node keep-awake.mjs <pid of the parent>
//
// The pid is an argument, because a parent killed while this boots is replaced before this could ask for it.
const SLICE_MS = 50;
const parent = Number(process.argv[2]);
process.stdin.resume().once("end", () => process.exit(0));
process.stdout.write('{"type":"awake"}\n');
spin();

function spin() {
  if (process.ppid !== parent) process.exit(0);
  for (const last = Date.now(); Date.now() - last < SLICE_MS; );
  setImmediate(spin);
}
