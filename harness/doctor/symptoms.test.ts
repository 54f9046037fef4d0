import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CHECKS } from "../driver/checks/catalog.ts";
import { ownTemporaryDirectory } from "../testing/temporary-directory.ts";
import { stalePaths, symptoms } from "./symptoms.ts";

const directory = ownTemporaryDirectory();

test.runIf(process.platform === "linux")(
  "the path of a killed server is stale, and that of a living one is not",
  async () => {
    const stale = join(directory(), "killed.sock");
    const kill = 'process.kill(process.pid, "SIGKILL")';
    const program = `require("net").createServer().listen(${JSON.stringify(stale)}, () => ${kill})`;
    expect(spawnSync(process.execPath, ["-e", program], { timeout: 10_000 }).signal).toBe("SIGKILL");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(directory(), "alive.sock"), resolve));
    const [finding] = await stalePaths();
    await new Promise((resolve) => server.close(resolve));
    expect(finding).toMatchObject({ status: "warning", found: stale, fix: `rm ${stale}` });
    rmSync(stale);
    expect((await stalePaths())[0]?.status).toBe("ok");
  },
);

test("every symptom names checks that exist, and is not reported as found", async () => {
  for (const { topic, fix, status } of await symptoms()) {
    expect([topic.startsWith("if "), status]).toEqual([true, "note"]);
    const named = fix?.split("--scenario ")[1]?.split(" ") ?? [];
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((id) => !CHECKS.some((check) => check.id === id))).toEqual([]);
  }
});
