import { join } from "node:path";
import { describe } from "vitest";
import { blockingCases } from "../support/testing/blocking-cases.ts";
import { posixMq } from "./posix-mq.ts";

describe.skipIf(process.platform !== "linux")("queues", () => {
  const modulePath = join(import.meta.dirname, "posix-mq.ts");
  blockingCases({ modulePath, exportName: "posixMq", transport: posixMq });
});
