import { fileURLToPath } from "node:url";
import { Child } from "../process/child.ts";
import { allowedCpus } from "../process/cpus.ts";

const START_TIMEOUT_MS = 5000;
const BUSY_LOOP = fileURLToPath(new URL("../control/keep-awake.mjs", import.meta.url));

/** Runs `work` beside a loop of ordinary priority on each CPU. */
export async function besideBusyLoops<Result>(work: () => Promise<Result>): Promise<Result> {
  const loops: Child<never, { type: "awake" }>[] = [];
  try {
    for (const cpu of allowedCpus() ?? []) {
      const command = ["taskset", "-c", String(cpu), process.execPath, BUSY_LOOP, String(process.pid)];
      const loop = await Child.start<never, { type: "awake" }>("busy loop", command);
      loops.push(loop);
      await loop.next(["awake"], START_TIMEOUT_MS);
    }
    return await work();
  } finally {
    await Promise.all(loops.map((loop) => loop.terminate(0)));
  }
}
