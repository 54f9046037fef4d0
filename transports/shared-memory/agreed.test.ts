import { join } from "node:path";
import { describe } from "vitest";
import { eventCases } from "../testing/event-cases.ts";
import { shmDescriptor } from "./descriptor.ts";
import { shmDoorbell } from "./doorbell.ts";

const folder = import.meta.dirname;

describe.skipIf(process.platform !== "linux")("segments agreed over a socket", () => {
  const doorbell = { modulePath: join(folder, "doorbell.ts"), exportName: "shmDoorbell", transport: shmDoorbell };
  const descriptor = {
    modulePath: join(folder, "descriptor.ts"),
    exportName: "shmDescriptor",
    transport: shmDescriptor,
  };
  eventCases({ ...doorbell, lossMs: 300 });
  eventCases({ ...descriptor, lossMs: 300 });
});
