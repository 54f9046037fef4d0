import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { blockingCases } from "../testing/blocking-cases.ts";
import { posixMq } from "./posix-mq.ts";

describe.skipIf(process.platform !== "linux")("queues", () => {
  const modulePath = join(import.meta.dirname, "posix-mq.ts");
  blockingCases({ modulePath, exportName: "posixMq", transport: posixMq });

  it("the version receipt of the record names the limits of this system", async () => {
    const receipt = await posixMq.probe();
    const limit = (name: string): string => readFileSync(`/proc/sys/fs/mqueue/${name}`, "latin1").trim();
    for (const name of ["msg_max", "msgsize_max", "queues_max"]) {
      expect(receipt).toMatchObject({ available: true, version: expect.stringContaining(`${name} ${limit(name)},`) });
    }
    expect(receipt).toMatchObject({ version: expect.stringMatching(/RLIMIT_MSGQUEUE \d+$/) });
  });
});
