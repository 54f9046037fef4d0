/** Process that holds the lock of a path, or takes it again and again. Arguments: the action, the path, the user. */
import { openSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { isIpcError } from "../contract/errors.ts";
import { withPathLock } from "../support/path-lock.ts";
import { withPathLockSync } from "../support/path-lock-sync.ts";

const TURNS = 6;
const FOREVER_MS = 2 ** 31 - 1;
const [what, path = "", user] = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

if (user !== undefined) {
  process.setgid?.(Number(user));
  process.setuid?.(Number(user));
}
// The parent of this process is gone.
process.stdin.once("end", () => process.exit(1)).resume();

/** Fails when another process is inside. */
function enter(): void {
  openSync(`${path}.inside`, "wx");
}

const leave = (): void => rmSync(`${path}.inside`);

async function takeTurns(): Promise<number> {
  let turns = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    try {
      if (turn % 2 === 0) {
        await withPathLock(path, "test", async () => {
          enter();
          await delay(1);
          leave();
        });
      } else {
        withPathLockSync(path, "test", () => {
          enter();
          leave();
        });
      }
      turns++;
    } catch (error) {
      // On a busy machine too many processes waited for the lock.
      if (!isIpcError(error) || error.code !== "IPC_ADDRESS_IN_USE") throw error;
    }
  }
  return turns;
}

if (what === "hold") {
  await withPathLock(path, "test", async () => {
    say("holds");
    await delay(FOREVER_MS);
  });
} else {
  say("ready");
  await new Promise((resolve) => process.stdin.once("data", resolve));
  say(`turns ${await takeTurns()}`);
  process.exit(0);
}
