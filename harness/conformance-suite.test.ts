import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { SCENARIOS } from "../scenarios/checks/index.ts";
import { CONFORMANCE } from "../scenarios/conformance/index.ts";
import server from "../transports/existing-server/example/my-http.ts";
import { unix } from "../transports/sockets/unix.ts";
import json from "../transports/support/example/my-json.ts";
import { checkTests, conformanceTests } from "./conformance-suite.ts";
import { ownTemporaryDirectory } from "./testing/temporary-directory.ts";

const MODULE = join(import.meta.dirname, "../transports/existing-server/example/my-http.ts");
const directory = ownTemporaryDirectory();
const sequential = "Many sequential requests on one connection are each answered with their own reply";

it("lists the cases of the contract for a transport, and the scenarios for an existing server", () => {
  const names = (tests: ReturnType<typeof conformanceTests>): string[] => tests.map(({ name }) => name);
  expect(names(conformanceTests(unix, "unix"))).not.toContain(sequential);
  expect(names(conformanceTests(server, MODULE))).toContain(sequential);
});

it("examines an existing server, and skips only what needs a server of ours, with the reason", async () => {
  const chosen = SCENARIOS.filter(({ id }) => ["reconnect", "large-by-descriptor"].includes(id));
  const verdicts = await Promise.all(checkTests({ id: server.id, module: MODULE }, chosen).map(({ run }) => run()));
  expect(verdicts).toEqual([
    { status: "not-applicable", reason: "the server is a program of the user's" },
    { status: "passed" },
  ]);
});

it.skipIf(process.platform === "win32")("finds no fault in the transport that the documents show whole", async () => {
  const module = join(import.meta.dirname, "../transports/support/example/my-json.ts");
  const tests = checkTests({ id: json.id, module }, CONFORMANCE);
  const verdicts = await Promise.all(tests.map(({ run }) => run()));
  expect(verdicts.filter(({ status }) => status === "passed").length).toBeGreaterThan(35);
  expect(verdicts.filter(({ status }) => status === "unavailable")).toEqual([]);
});

it("fails, and says why, when nothing could be examined", async () => {
  const module = join(directory(), "elsewhere.mjs");
  const source = pathToFileURL(join(import.meta.dirname, "../transports/sockets/unix.ts")).href;
  writeFileSync(
    module,
    `import { unix } from "${source}";\nconst probe = async () => ({ available: false, reason: "needs a SPARC" });\n` +
      `export default { ...unix, id: "elsewhere", probe };\n`,
  );
  const tests = conformanceTests({ ...unix, id: "elsewhere" }, module);
  expect(await tests[0]?.run()).toEqual({ status: "unavailable", reason: "needs a SPARC" });
  await expect(tests.at(-1)?.run()).rejects.toThrow("nothing about elsewhere was examined: unavailable: needs a SPARC");
});
