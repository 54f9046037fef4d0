import { describe, expect, test } from "vitest";
import { REGISTRY } from "../../transports/registry.ts";
import type { CandidateStanding, CheckResult } from "../results/model.ts";
import { afterChecks, chooseCandidates } from "./choose-candidates.ts";
import { parseNeed } from "./parse-needs.ts";
import { fromRegistry } from "./transports.ts";

const choose = (names: readonly string[] | undefined, ...needs: string[]) =>
  chooseCandidates(names, needs.map(parseNeed), "node");
const chosen = ({ standings }: { standings: readonly CandidateStanding[] }): string[] =>
  standings.filter(({ status }) => status === "in").map(({ transport }) => transport);

describe("candidates for needs", () => {
  test("are the shortlist that qualifies, then one of each family it lacks, then the next, until six", async () => {
    const found = await choose(undefined, "linux", "macos", "windows");
    expect(chosen(found).slice(0, 3)).toEqual(["local-socket", "file-drop/watch", "stdio"]);
    // What can run depends on the packages and programs of the machine; tcp needs none.
    expect(chosen(found)).toContain("tcp");
    expect(chosen(found)).toHaveLength(6);
    const nearest = { why: "nearest" };
    expect(found.standings.filter(({ status }) => status === "in")).toMatchObject([
      ...[{ why: "shortlist" }, { why: "shortlist" }],
      ...[nearest, nearest, nearest, nearest],
    ]);
    // The baseline is measured, and no candidate.
    expect(found.candidates.map(({ record }) => record.id)).toEqual(["loopback", ...chosen(found)]);
    const of = (id: string) => found.standings.find(({ transport }) => transport === id);
    expect(of("fifo")).toEqual({
      transport: "fifo",
      status: "excluded",
      need: "windows",
      reason: "runs on Linux and macOS only",
    });
    expect(of("file-drop/poll")).toMatchObject({ status: "not-measured" });
    expect(of("loopback")).toBeUndefined();
  });

  test("do not have one mechanism under two names, unless it is named", async () => {
    const local = await choose(undefined, "pure-js", "one-way");
    expect(chosen(local)).toContain("local-socket");
    expect(local.standings.map(({ transport }) => transport)).not.toContain("unix");
    expect(chosen(await choose(["unix", "local-socket"], "pure-js"))).toEqual(["unix", "local-socket"]);
  });

  test("are of those that the user names", async () => {
    const found = await choose(["unix", "stdio"], "child");
    expect(chosen(found)).toEqual(["stdio"]);
    expect(found.standings).toContainEqual({
      transport: "unix",
      status: "excluded",
      need: "child",
      reason: "needs an address that both ends know",
    });
  });

  test("that do not exist leave the need that excludes most, and what remains without it", async () => {
    await expect(choose(undefined, "shared-key", "persistent")).rejects.toThrow(
      new RegExp(
        String.raw`none of the \d+ transports considered meets all needs: shared-key excludes most \(\d+\); ` +
          "without it file-drop/watch, file-drop/poll remain",
      ),
    );
    await expect(choose(["unix"], "child")).rejects.toThrow("unix does not meet the need child: it needs an address");
  });
});

test("after the checks a failure excludes a mechanism under all its names; the rest is shown or open", async () => {
  const ids = ["local-socket", "unix", "tcp"];
  const records = (
    await fromRegistry(
      REGISTRY.filter(({ id }) => ids.includes(id)),
      false,
    )
  ).map(({ record }) => record);
  const standings = ids.map(
    (transport): CandidateStanding => ({ transport, status: "in", why: "named", shown: [], open: [] }),
  );
  const result = (transport: string, status: CheckResult["status"]): CheckResult =>
    ({ scenario: "pipelining", transport, peer: "node", status, reason: "it broke", notes: {} }) as CheckResult;
  const wanted = [parseNeed("in-flight=24")];
  const of = (...checks: CheckResult[]) => afterChecks(standings, wanted, records, checks);
  const [local, unix, tcp] = of(result("unix", "failed"), result("tcp", "passed"));
  const reason = "failed the check pipelining: it broke";
  expect(local).toEqual({ transport: "local-socket", status: "excluded", need: "in-flight=24", reason });
  expect(unix).toEqual({ transport: "unix", status: "excluded", need: "in-flight=24", reason });
  expect(tcp).toMatchObject({ status: "in", why: "named", shown: ["in-flight=24"], open: [] });
  expect(of()[0]).toMatchObject({ status: "in", open: [{ need: "in-flight=24", kind: "run" }] });
});
