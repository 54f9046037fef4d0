import { describe, expect, test } from "vitest";
import { requirementText } from "../../scenarios/need.ts";
import { NEEDS } from "../../scenarios/needs/index.ts";
import { combineNeeds, parseNeed } from "./parse-needs.ts";
import { profileDefect } from "./profiles.ts";

test("a need is read with its value or with its own, and written as it is typed", () => {
  for (const { name, standard } of NEEDS) expect(parseNeed(name)).toMatchObject({ need: { name }, value: standard });
  for (const text of ["clients=100", "message=8MiB", "message=1500B", "peer-loss=250ms", "idle-cpu=0.5%", "ordered"])
    expect(requirementText(parseNeed(text))).toBe(text);
  expect(parseNeed(" message = 4k ").value).toBe(4096);
  expect(parseNeed("peer-loss=1.5s").value).toBe(1500);
});

describe("a need that is no need", () => {
  test.each([
    ["lnux", /unknown need "lnux" \(did you mean linux\?\); valid: linux, /],
    ["client=3", /did you mean clients\?/],
    ["", /unknown need ""/],
    ["ordered=yes", /ordered takes no value; write ordered/],
    ["clients=", /write a whole number such as 100 \(clients alone means 100\)/],
    ["clients=0", /from 1 to 1000000/],
    ["clients=1e3", /write a whole number/],
    ["clients=-1", /write a whole number/],
    ["message=8MB", /write a size such as 64, 4KiB or 8MiB/],
    ["message=999999GiB", /from 1B to 1048576MiB/],
    ["peer-loss=1", /write a time such as 250ms or 1s/],
    ["peer-loss=1=2", /write a time/],
    ["idle-cpu=1", /write a percentage such as 1%/],
    ["idle-cpu=101%", /from 0.01% to 100%/],
  ])("is named: %s", (text, message) => {
    expect(() => parseNeed(text)).toThrow(message);
  });

  test("nor are two values of one need, or two needs that contradict", () => {
    const combine = (typed: readonly string[], needs: readonly string[] = []) =>
      combineNeeds(typed.map(parseNeed), { name: "tool-server", needs: needs.map(parseNeed) });
    expect(() => combine(["clients=2", "clients=3"])).toThrow("--need has clients=2 and clients=3");
    expect(combine(["clients=2", "clients=2"])).toHaveLength(1);
    expect(() => combine(["child", "independent"])).toThrow("needs child and independent contradict each other");
    expect(() => combine(["independent"], ["child"])).toThrow("independent and child (of the profile tool-server)");
  });
});

test("a profile that is none is refused with the field, what it must be, and the nearest name", () => {
  const profile = { name: "x", why: "y", needs: [], workload: {}, checks: [] };
  const workload = (fields: object): unknown => ({ ...profile, workload: fields });
  expect(profileDefect(profile)).toBeUndefined();
  expect(profileDefect(workload({ clients: 8, ratePerSecond: null, payloads: [64], codec: "json" }))).toBeUndefined();
  expect(
    profileDefect(workload({ payloads: { mix: [0.1, 0.2, 0.7].map((share) => ({ bytes: 64, share })) } })),
  ).toBeUndefined();
  for (const [value, message] of [
    [undefined, /default export must be an object/],
    [[profile], /default export must be an object/],
    [{ ...profile, need: [] }, /unknown field "need" \(did you mean needs\?\)/],
    [{ ...profile, needs: "linux" }, /needs is "linux" and must be a list/],
    [{ ...profile, needs: [3] }, /needs\[0\] is 3 and must be a text/],
    [{ name: "x" }, /why is missing and must be a text/],
    [workload({ cleints: 8 }), /unknown field of workload "cleints" \(did you mean clients\?\)/],
    [workload({ clients: "8" }), /workload.clients is "8" and must be a whole number from 1 to 200/],
    [workload({ clients: 5000 }), /workload.clients is 5000 and must be a whole number from 1 to 200/],
    [workload({ otherLoads: [{ clients: 2 }] }), /otherLoads\[0\].ratePerSecond is missing .* or null for no rate/],
    [workload({ payloads: [] }), /workload.payloads is an empty list/],
    [
      workload({ payloads: { mix: [{ bytes: 64, share: 0.5 }] } }),
      /workload.payloads.mix add up to 0.5 and must add up to 1/,
    ],
    [workload({ codec: "xml" }), /workload.codec is "xml" and must be raw, json, .* or struct/],
    [workload({ optimize: "mean" }), /workload.optimize is "mean" and must be p50, p99, throughput or cpu/],
    [workload({ ratePerSecond: Infinity }), /workload.ratePerSecond is .* must be a number above 0/],
  ] as const)
    expect(profileDefect(value)).toMatch(message);
});
