import { join } from "node:path";
import { describe } from "vitest";
import { blockingCases } from "../testing/blocking-cases.ts";
import * as transports from "./shared-memory.ts";

const modulePath = join(import.meta.dirname, "shared-memory.ts");
/** One of each kind of waiting and of storing goes through everything. */
const WHOLE = new Set(["shm/spin", "shm/semaphore", "shm/adaptive", "mmap/futex"]);
const linux = process.platform === "linux";

describe.skipIf(!linux)("rings", () => {
  for (const [exportName, transport] of Object.entries(transports)) {
    blockingCases({ modulePath, exportName, transport, essentials: !WHOLE.has(transport.id) });
  }
});
