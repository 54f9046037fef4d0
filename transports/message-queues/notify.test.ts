import { join } from "node:path";
import { describe } from "vitest";
import { eventCases } from "../support/testing/event-cases.ts";
import { posixMqNotify } from "./notify.ts";

describe.skipIf(process.platform !== "linux")("queues with notification", () => {
  const modulePath = join(import.meta.dirname, "notify.ts");
  eventCases({ modulePath, exportName: "posixMqNotify", transport: posixMqNotify, lossMs: 300 });
});
