import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";
import { CHECKS } from "../driver/checks/catalog.ts";
import { checkTransport } from "../testing/vitest-adapter.ts";

const module = fileURLToPath(new URL("../testing/talkative.ts", import.meta.url));
const checks = CHECKS.filter(({ id }) => ["sequential-requests", "permissions"].includes(id));

async function outcomes(id: string): Promise<readonly (readonly [string, string, string | undefined])[]> {
  const results = await checkTransport({ id: `talkative/${id}`, module }, checks);
  return results.map(({ scenario, status, reason }) => [scenario, status, reason]);
}

// Side by side: nothing of it is timed.
describe.concurrent("a transport that prints while it is checked", () => {
  it("disturbs nothing on standard output, which is no place for it: forged lines, megabytes, half a line", async ({
    expect,
  }) => {
    const [first, last] = await outcomes("printed");
    expect(first).toEqual(["sequential-requests", "passed", undefined]);
    expect(last).toEqual([
      "permissions",
      "failed",
      expect.stringMatching(/^printed on standard output, .* print to stderr$/),
    ]);
  });

  it("has no result believed that comes twice, the first of the two included", async ({ expect }) => {
    const [first, second] = await outcomes("twice");
    expect(first).toEqual(["sequential-requests", "failed", "the driver process reported sequential-requests twice"]);
    expect(second?.[1]).toBe("failed");
  });

  it("has no result believed that is not due", async ({ expect }) => {
    expect((await outcomes("early"))[0]).toEqual([
      "sequential-requests",
      "failed",
      "the driver process reported the check permissions, which was not due",
    ]);
  });

  it.for([
    ["malformed", "message.id is 7 and must be a text"],
    ["everybody", "message.pid is 1 and must be a whole number of 2 or more"],
    ["no-json", "a line that is no JSON (hello)"],
  ] as const)("fails by name when what it sends is no message: %s", async ([id, what], { expect }) => {
    const [first] = await outcomes(id);
    expect(first?.slice(0, 2)).toEqual(["sequential-requests", "failed"]);
    expect(first?.[2]).toContain("the driver process sent");
    expect(first?.[2]).toContain(what);
  });
});
