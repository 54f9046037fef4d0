import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { startDriver } from "../process/driver-process.ts";

const LIMIT_MS = 20_000;
const IS_ROOT = process.getuid?.() === 0;
const NOBODY = 65_534;

/** Returns the real, effective, saved and file-system ids and the supplementary groups of every thread. */
function idsOf(pid: number): string[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  const ids = threads.map((thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8");
    return [...status.matchAll(/^(?:Uid|Gid|Groups|CapPrm):.*$/gm)].map(([line]) => line.trim()).join(" ");
  });
  return [...new Set(ids)];
}

// Only root can become another user, and only Linux shows the ids of each thread.
describe.skipIf(!IS_ROOT || process.platform !== "linux")("a process that connects as another user", () => {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-as-user-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it("has become that user in all its threads before it connects", async () => {
    const child = await startDriver("foreign user's");
    try {
      const unserved = { transport: "unix", name: join(directory, "unserved") };
      child.send({
        type: "start",
        transport: { id: "unix", module: null },
        mode: "event",
        place: { directory, prefix: basename(directory) },
        peerPin: [],
        peerLanguage: "node",
        work: { kind: "user", address: unserved, unserved, user: { uid: NOBODY, gid: NOBODY } },
      });
      const ready = await child.next(["user-ready"], LIMIT_MS);
      expect(ready).toMatchObject({ uid: NOBODY, obstacle: null });
      const four = `\t${NOBODY}`.repeat(4);
      expect(idsOf(child.pid)).toEqual([`Uid:${four} Gid:${four} Groups: CapPrm:\t0000000000000000`]);
      child.send({ type: "begin" });
      expect(await child.next(["user-attempt"], LIMIT_MS)).toMatchObject({ connected: false });
    } finally {
      await child.terminate();
    }
  });
});
