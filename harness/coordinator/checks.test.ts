import { REGISTRY } from "../../transports/registry.ts";
import { CHECKS } from "../driver/checks/catalog.ts";
import { describeChecks } from "./vitest-adapter.ts";

/** One per shared implementation; `npm run test:all` takes every transport. */
const REPRESENTATIVES: readonly string[] = ["loopback", "unix", "stdio"];
const everything = process.env["IPCMARK_TEST_ALL"] === "1";

for (const { id } of REGISTRY) {
  if (everything || REPRESENTATIVES.includes(id)) describeChecks(id, CHECKS);
}
