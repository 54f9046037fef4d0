import { beforeAll, expect, test } from "vitest";
import broken from "../../../scenarios/mutants/never-connects.ts";
import { tcp } from "../../../transports/sockets/tcp.ts";
import { unix } from "../../../transports/sockets/unix.ts";
import type { CheckResult } from "../../results/model.ts";
import { runJobs } from "../../testing/run-check.ts";

const checks = ["container/sharing"];
const [mutant] = broken;
const MUTANT = "broken/never-connects";
let results: ReadonlyMap<string, readonly CheckResult[]>;

beforeAll(async () => {
  if (mutant === undefined) throw new Error("no mutant");
  results = await runJobs([
    { transport: unix, module: null, checks },
    { transport: tcp, module: null, checks },
    { transport: mutant, module: "scenarios/mutants/never-connects.ts", checks },
  ]);
}, 120_000);

const isHere = (id: string): boolean => {
  const [result] = results.get(id) ?? [];
  // A container without the right to make namespaces gives that as its reason.
  if (result?.status === "not-applicable") expect(result.reason).toMatch(/namespaces/);
  return result?.status !== "not-applicable";
};

test("a Unix socket needs a directory only, TCP the network too, and the error without it is kept", () => {
  if (!isHere("unix")) return;
  expect(results.get("unix")).toMatchObject([{ status: "passed", notes: { needs: "nothing more" } }]);
  const [over] = results.get("tcp") ?? [];
  expect(over).toMatchObject({ status: "passed", notes: { needs: "the network" } });
  expect(over?.notes["withoutIt"]).toMatch(/ECONNREFUSED|nobody/);
});

test("the check fails where requests fail whatever is shared", () => {
  if (!isHere(MUTANT)) return;
  expect(results.get(MUTANT)).toMatchObject([{ status: "failed" }]);
  expect(results.get(MUTANT)?.[0]?.reason).toMatch(/^with everything but their mounts in common, they fail too/);
});
