// An idle-priority load: whoever starts it pins it and gives it SCHED_IDLE, so that it runs when nothing else wants the CPU and a
// virtual CPU never halts. Ends with its stdin, and when its parent is no longer the process it was started by:
//
//     node keep-awake.mjs <pid of the parent>
//
// The pid is an argument: a parent that is killed while this boots has been replaced before this could ask for it.
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
