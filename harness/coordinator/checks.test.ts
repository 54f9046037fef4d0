import { CONFORMANCE } from "../../scenarios/conformance/index.ts";
import { REGISTRY } from "../../transports/registry.ts";
import { describeChecks } from "../testing/vitest-adapter.ts";

/** Transports, one per shared implementation; `npm run test:all` takes every one. The scenarios have their own test. */
const REPRESENTATIVES: readonly string[] = ["loopback", "unix", "stdio"];
const everything = process.env["IPCMARK_TEST_ALL"] === "1";

for (const { id } of REGISTRY) {
  if (everything || REPRESENTATIVES.includes(id)) describeChecks(id, CONFORMANCE);
}
