import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { CHECKS } from "../harness/driver/checks/catalog.ts";
import type { Capabilities } from "../transports/contract/capabilities.ts";
import { REGISTRY } from "../transports/registry.ts";
import type { Evidence, Figure, Verdict } from "./evidence.ts";
import { checksOf, contradiction, type Need, type Requirement, requirementOf, requirementText } from "./need.ts";
import { NEEDS } from "./needs/index.ts";
import { type Exclusion, qualify, refute, type Subject, type Survivor, tightest } from "./qualify.ts";

const SUBJECTS: readonly Subject[] = await Promise.all(REGISTRY.map((entry) => entry.load()));

/** Values on both sides of those in the records. */
const VALUES: Readonly<Record<Need["kind"], readonly number[]>> = {
  none: [0],
  count: [1, 2, 8, 33, 64, 100, 5000],
  bytes: [1, 8168, 8192, 1024 * 1024, 8 * 1024 * 1024, 1024 ** 3],
  duration: [1, 100, 250, 999, 1000, 60_000],
  share: [0.0001, 0.01, 0.5],
};
const requirement = (need: Need): fc.Arbitrary<Requirement> =>
  fc.constantFrom(...VALUES[need.kind]).map((value) => ({ need, value }));
/** Any needs in any order, each with one of its values. */
const requirements = fc
  .shuffledSubarray([...NEEDS])
  .chain((needs) => fc.tuple(...needs.map(requirement)) as fc.Arbitrary<Requirement[]>);
/** Records of the registry, and the same with fields that are absent or have other values. */
const subject: fc.Arbitrary<Subject> = fc
  .tuple(fc.constantFrom(...SUBJECTS), fc.constantFrom(...SUBJECTS), fc.constantFrom(...Object.keys(CLAIMS())))
  .map(([{ id, capabilities }, other, field]) => ({
    id: `${id} with ${field} of ${other.id}`,
    capabilities: { ...capabilities, [field]: other.capabilities[field as keyof Capabilities] },
  }));
const subjects = fc
  .uniqueArray(subject, { selector: ({ id }) => id, maxLength: 12 })
  .map((others) => [...SUBJECTS, ...others]);

function CLAIMS(): Capabilities {
  return (SUBJECTS[0] as Subject).capabilities;
}

const ids = (records: readonly Subject[]): string[] => records.map(({ id }) => id);

describe("candidates by their records", () => {
  it("are those that no need excludes, and each exclusion names a need that excludes", () => {
    fc.assert(
      fc.property(subjects, requirements, (records, wanted) => {
        const { candidates, excluded } = qualify(records, wanted);
        expect([...ids(candidates), ...excluded.map(({ id }) => id)].sort()).toEqual(ids(records).sort());
        const isFree = ({ capabilities }: Subject): boolean =>
          wanted.every(({ need, value }) => need.excludes(capabilities, value) === undefined);
        expect(candidates.every(isFree)).toBe(true);
        const isDue = ({ id, need, reason }: Exclusion): boolean => {
          const asked = wanted.find((each) => requirementText(each) === need);
          const record = records.find((each) => each.id === id) as Subject;
          return reason === asked?.need.excludes(record.capabilities, asked.value);
        };
        expect(excluded.every(isDue)).toBe(true);
      }),
    );
  });

  it("do not become more when a need is added", () => {
    fc.assert(
      fc.property(subjects, requirements, fc.nat(), (records, wanted, at) => {
        const fewer = wanted.filter((_, index) => index !== at % Math.max(1, wanted.length));
        const before = ids(qualify(records, fewer).candidates);
        expect(before).toEqual(expect.arrayContaining(ids(qualify(records, wanted).candidates)));
      }),
    );
  });

  it("do not become more when a value is raised that is a least", () => {
    for (const need of NEEDS.filter(({ kind }) => kind === "count" || kind === "bytes")) {
      const counts = VALUES[need.kind].map((value) => qualify(SUBJECTS, [{ need, value }]).candidates.length);
      expect(counts, need.name).toEqual(counts.toSorted((a, b) => b - a));
    }
  });

  it("leave the need that excludes most when there are none", () => {
    const wanted = ["persistent", "shared-key", "windows"].map((name) => ({ need: named(name), value: 0 }));
    const found = tightest(SUBJECTS, wanted);
    expect(found).toMatchObject({ need: "shared-key" });
    expect(ids(found?.without ?? [])).toEqual(["file-drop/watch", "file-drop/poll"]);
  });
});

const named = (name: string): Need => NEEDS.find((need) => need.name === name) as Need;
const verdicts: readonly Verdict[] = [
  { status: "passed" },
  { status: "not-examined" },
  { status: "failed", reason: "it broke" },
  { status: "unavailable", reason: "no such user" },
  { status: "not-applicable", reason: "no replies" },
];

/** Results of a run, as a function of transport and check; figures likewise. */
function evidence(
  verdict: (transport: string, check: string) => Verdict,
  figure: (transport: string, check: string) => Figure | undefined = () => undefined,
): Evidence {
  return { verdict, figure };
}

const results = fc
  .func(fc.constantFrom(...verdicts))
  .map((choose) => (transport: string, check: string) => choose(transport, check));
const figures = fc
  .func(fc.option(fc.record({ value: fc.double({ min: 0, max: 1e5, noNaN: true }) }), { nil: undefined }))
  .map((choose) => (transport: string, check: string) => choose(transport, check));

describe("a requirement", () => {
  it("is read as it was written, with its value and unit", () => {
    for (const need of NEEDS) {
      for (const value of [need.standard, need.kind === "none" ? 0 : 3 * need.standard]) {
        const found = requirementOf(requirementText({ need, value }), NEEDS);
        expect([found?.need, found?.value]).toEqual([need, expect.closeTo(value, 9)]);
      }
    }
    expect(requirementOf("telepathy=3", NEEDS)).toBeUndefined();
  });
});

describe("candidates after the checks", () => {
  it("are excluded by a failed check or a figure above the value, and by nothing else", () => {
    fc.assert(
      fc.property(requirements, results, figures, (wanted, verdict, figure) => {
        const { candidates } = qualify(SUBJECTS, wanted);
        const found = refute(candidates, wanted, evidence(verdict, figure));
        expect(
          [...found.candidates.map(({ record }) => record.id), ...found.excluded.map(({ id }) => id)].sort(),
        ).toEqual(ids(candidates).sort());
        const asked = (text: string) => wanted.find((each) => requirementText(each) === text) as Requirement;
        const isDue = ({ id, need }: Exclusion): boolean => {
          const { check, scale } = asked(need).need.figure ?? { check: "", scale: 1 };
          const noted = (figure(id, check)?.value ?? Number.NEGATIVE_INFINITY) * scale;
          const failed = checksOf(asked(need)).some((each) => verdict(id, each).status === "failed");
          return failed || noted > asked(need).value;
        };
        expect(found.excluded.every(isDue)).toBe(true);
        const isShown = ({ record, shown, open }: Survivor<Subject>): boolean =>
          shown.length + open.length === wanted.length &&
          shown.every((text) => checksOf(asked(text)).some((check) => verdict(record.id, check).status === "passed"));
        expect(found.candidates.every(isShown)).toBe(true);
      }),
    );
  });

  it("are never shown more by less evidence", () => {
    fc.assert(
      fc.property(requirements, results, fc.func(fc.boolean()), (wanted, verdict, isKept) => {
        const { candidates } = qualify(SUBJECTS, wanted);
        const all = refute(candidates, wanted, evidence(verdict));
        const cut = refute(
          candidates,
          wanted,
          evidence((transport, check) =>
            isKept(transport, check) ? verdict(transport, check) : { status: "not-examined" },
          ),
        );
        const out = new Set(all.excluded.map(({ id }) => id));
        expect(cut.excluded.every(({ id }) => out.has(id))).toBe(true);
        const isLess = ({ record, shown }: Survivor<Subject>): boolean => {
          const before = all.candidates.find((each) => each.record.id === record.id);
          return before === undefined || shown.every((text) => before.shown.includes(text));
        };
        expect(cut.candidates.every(isLess)).toBe(true);
      }),
    );
  });

  const unix = SUBJECTS.filter(({ id }) => id === "unix");
  const open = (asked: Requirement, verdict: Verdict, figure?: Figure) =>
    refute(
      unix,
      [asked],
      evidence(
        () => verdict,
        () => figure,
      ),
    ).candidates[0]?.open;

  it("keep apart what the mechanism, this machine and this run cannot", () => {
    const asked = { need: named("permissions"), value: 0 };
    expect(open(asked, { status: "failed", reason: "x" })).toBeUndefined();
    expect(open(asked, { status: "unavailable", reason: "x" })).toMatchObject([{ kind: "machine" }]);
    expect(open(asked, { status: "not-examined" })).toMatchObject([{ kind: "run" }]);
    expect(open(asked, { status: "not-applicable", reason: "x" })).toMatchObject([{ kind: "record" }]);
    expect(open(asked, { status: "passed" })).toEqual([]);
  });

  it("are shown up to what the checks examine, and stated beyond it", () => {
    expect(open({ need: named("clients"), value: 64 }, { status: "passed" })).toEqual([]);
    expect(open({ need: named("clients"), value: 100 }, { status: "passed" })).toEqual([
      { need: "clients=100", kind: "record", reason: "stated by its record; examined up to 64" },
    ]);
    expect(checksOf({ need: named("clients"), value: 8 })).toEqual(["concurrent-clients/8"]);
    expect(checksOf({ need: named("clients"), value: 9 })).toEqual(["concurrent-clients/8", "concurrent-clients/64"]);
    for (const need of NEEDS.filter(({ examinedUpTo }) => examinedUpTo === undefined))
      expect(checksOf({ need, value: need.standard })).toEqual(need.checks);
  });

  it("are measured against the value by the figure of a check", () => {
    const idle = { need: named("idle-cpu"), value: 0.01 };
    expect(open(idle, { status: "passed" }, { value: 0.4 })).toEqual([]);
    expect(
      refute(
        unix,
        [idle],
        evidence(
          () => ({ status: "passed" }),
          () => ({ value: 3.5 }),
        ),
      ).excluded,
    ).toEqual([{ id: "unix", need: "idle-cpu=1%", reason: "idle-cpu noted 3.5%" }]);
  });
});

test("needs have names of their own, and checks and contradictions that exist", () => {
  const names = NEEDS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const known = CHECKS.map(({ id }) => id);
  for (const { name, checks, figure, contradicts = {}, examinedUpTo = {}, kind, standard } of NEEDS) {
    expect(known, name).toEqual(
      expect.arrayContaining([...checks, ...(figure ? [figure.check] : []), ...Object.keys(examinedUpTo)]),
    );
    expect(names, name).toEqual(expect.arrayContaining(Object.keys(contradicts)));
    expect(kind === "none" ? standard === 0 : standard > 0, name).toBe(true);
  }
});

test("a need that contradicts another is found from either side, with both names", () => {
  const pair = ["child", "independent"].map((name) => ({ need: named(name), value: 0 }));
  for (const order of [pair, pair.toReversed()])
    expect(contradiction([{ need: named("linux"), value: 0 }, ...order])?.names.toSorted()).toEqual([
      "child",
      "independent",
    ]);
  expect(contradiction(pair.slice(1))).toBeUndefined();
  for (const { need } of pair)
    for (const other of Object.keys(need.contradicts ?? {})) expect(named(other).contradicts).toHaveProperty(need.name);
});

test("a module that states neither packages nor native code is excluded from both needs, with that reason", () => {
  const { packages: _packages, native: _native, ...silent } = CLAIMS();
  for (const name of ["pure-js", "no-dependency"])
    expect(named(name).excludes(silent, 0)).toMatch(/^does not state .*capabilities\./);
});

test("a system of a module that no need knows is named as the module names it", () => {
  const platforms = ["constructor", "freebsd"] as unknown as readonly ["linux"];
  expect(named("windows").excludes({ ...CLAIMS(), platforms }, 0)).toBe("runs on constructor and freebsd only");
});
