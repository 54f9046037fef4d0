import { availableParallelism } from "node:os";
import { afterAll, describe, expect, it, test } from "vitest";
import type { Workload } from "../../scenarios/workload.ts";
import type { Report } from "../results/model.ts";
import { TEST_ALL } from "../testing/run-check.ts";
import { Sandbox } from "../testing/sandbox.ts";
import { questionOf } from "./asked-question.ts";
import type { MeasureOptions } from "./options.ts";
import { parseNeed } from "./parse-needs.ts";
import { checkPayloads, meanBytes, type Payloads, parsePayload } from "./payloads.ts";
import { parseClient, parseClients } from "./peers.ts";
import { cellsFor, placementFor, questionFor } from "./pick-question.ts";
import { parseOptimize, parseWork } from "./values.ts";
import { asksForMore, lackOfP99, sizedCells, withCodec, workloadCells, workloadOf } from "./workload.ts";

/** As the command line would. */
function payload(...texts: readonly string[]): Payloads {
  const parsed = texts.reduce<Payloads | undefined>((before, text) => parsePayload(text, before), undefined);
  return checkPayloads(parsed as Payloads);
}

function optionsOf(options: Partial<MeasureOptions>): MeasureOptions {
  return { out: "out", ...options };
}

test("a number for --client and a language for --clients name the flag that takes it", () => {
  expect(() => parseClient("8")).toThrow('client "8" is no language (node, python); a number is --clients 8');
  expect(() => parseClients("python")).toThrow('"python" is no number; the language of the client is --client python');
  expect([parseClient("python"), parseClients("8")]).toEqual(["python", 8]);
});

describe("--payload", () => {
  it("is sizes without weights, and one mix with them, by blanks or commas", () => {
    expect(payload("64", "4KiB,1MiB")).toEqual([64, 4096, 1024 ** 2]);
    const mix = [
      { bytes: 64, share: 0.7 },
      { bytes: 4096, share: 0.25 },
      { bytes: 1024 ** 2, share: 0.05 },
    ];
    expect(payload("64:70,4KiB:25,1MiB:5")).toEqual({ mix });
    expect(payload("64:70%", "4KiB:25", "1MiB:5")).toEqual({ mix });
    expect(meanBytes(mix)).toBe(53_498);
    expect(payload("1:33.3,2:33.3,3:33.4")).toHaveProperty("mix");
  });

  it.for([
    [["64:70,4KiB"], 'payload "64:70,4KiB": some sizes have a weight and others none'],
    [["64", "4KiB:30"], 'payload "4KiB:30": some sizes have a weight and others none'],
    [["64:70", "4KiB"], 'payload "4KiB": some sizes have a weight and others none'],
    [["64:70,4KiB:25"], 'the weights of payload "64:70,4096:25" add up to 95 % and must add up to 100 %'],
    [["64:50,64:50"], 'payload "64:50,64:50" names the size 64 twice'],
    [["64:0,4KiB:100"], 'payload "64:0" has no weight in percent'],
    [["64:many"], 'payload "64:many" has no weight in percent'],
    [["64:1:2"], 'payload "64:1:2" has no weight in percent'],
    [["x:100"], 'payload "x" is not a size'],
    [[","], '"," names nothing'],
  ] as const)("refuses %s", ([texts, sentence]) => {
    expect(() => payload(...texts)).toThrow(sentence);
  });
});

it("reads times of work and what is to be best", () => {
  expect(["200us", "200µs", "1ms", "0.5ms", "1s"].map(parseWork)).toEqual([200, 200, 1000, 500, 1_000_000]);
  for (const text of ["200", "2m", "", "-1us"]) expect(() => parseWork(text)).toThrow("is not a time; write 200us");
  for (const text of ["0us", "2s"]) expect(() => parseWork(text)).toThrow("must be from 1us to 1s");
  expect(parseOptimize("p99")).toBe("p99");
  expect(() => parseOptimize("p9")).toThrow('unknown --optimize "p9" (did you mean p99?)');
});

describe("the workload", () => {
  it("is that of the flags, then of the profile", () => {
    const base = { clients: 4, ratePerSecond: 100, optimize: "p99" } as const;
    expect(workloadOf(optionsOf({ rate: [5000], work: 200, peer: ["python"] }), base)).toMatchObject({
      ...{ clients: 4, ratePerSecond: 5000, workMicros: 200, peer: "python", optimize: "p99", codec: null },
    });
    expect(asksForMore(workloadOf(optionsOf({})))).toBe(false);
    expect(asksForMore(workloadOf(optionsOf({ payload: [64], clients: [1] })))).toBe(false);
    for (const options of [
      { clients: [2] },
      { clients: [1, 8] },
      { rate: [1] },
      { work: 1 },
      { payload: payload("64:100") },
    ]) {
      expect(asksForMore(workloadOf(optionsOf(options)))).toBe(true);
    }
  });

  it("refuses a request that is too small to name its work", () => {
    expect(() => workloadOf(optionsOf({ payload: [64, 2], work: 100 }))).toThrow("payload 2 is too small for --work");
  });

  it("has a cell for each size, or one of the mix, filed under the mean", () => {
    const sizes = workloadCells(workloadOf(optionsOf({ payload: [64, 4096, 64], clients: [3] })));
    expect(sizes.map(({ payloadBytes, variant }) => [payloadBytes, variant])).toEqual([
      [64, { clients: 3 }],
      [4096, { clients: 3 }],
    ]);
    const [cell, ...others] = workloadCells(workloadOf(optionsOf({ payload: payload("64:90,4KiB:10"), rate: [500] })));
    expect(others).toEqual([]);
    expect([cell?.payloadBytes, cell?.variant.ratePerSecond, cell?.variant.mix?.length]).toEqual([467, 500, 2]);
  });
});

describe("several numbers of clients and rates", () => {
  it("are combined, and the first of each is the one of the answer", () => {
    const workload = workloadOf(optionsOf({ clients: [1, 8, 1], rate: [1000, 20_000] }));
    expect(workload).toMatchObject({ clients: 1, ratePerSecond: 1000 });
    const points = workloadCells(workload).map(({ payloadBytes, variant }) => [payloadBytes, variant]);
    expect(points).toEqual([
      [64, { clients: 1, ratePerSecond: 1000 }],
      [4096, { clients: 1, ratePerSecond: 1000 }],
      [64, { clients: 1, ratePerSecond: 20_000 }],
      [4096, { clients: 1, ratePerSecond: 20_000 }],
      [64, { clients: 8, ratePerSecond: 1000 }],
      [4096, { clients: 8, ratePerSecond: 1000 }],
      [64, { clients: 8, ratePerSecond: 20_000 }],
      [4096, { clients: 8, ratePerSecond: 20_000 }],
    ]);
  });

  it("of the command line replace those of the profile", () => {
    const base = { clients: 2, otherLoads: [{ clients: 9, ratePerSecond: null }] };
    expect(workloadOf(optionsOf({}), base)).toMatchObject(base);
    expect(workloadOf(optionsOf({ clients: [4] }), base)).toMatchObject({ clients: 4, otherLoads: [] });
    expect(workloadOf(optionsOf({ rate: [5, 6] }), base)).toMatchObject({
      ...{ clients: 2, ratePerSecond: 5, otherLoads: [{ clients: 2, ratePerSecond: 6 }] },
    });
  });

  it("are refused where they have more combinations than a run can measure", () => {
    expect(() => workloadOf(optionsOf({ clients: [1, 2, 3, 4], rate: [1, 2] }))).toThrow(
      "clients and rates have 8 combinations; give at most 6, or ask in several runs",
    );
  });
});

describe("a need that names clients", () => {
  const asked = async (names: readonly string[], options: Partial<MeasureOptions> = {}) =>
    questionOf(optionsOf({ ...options, need: names.map(parseNeed) }));

  it("is measured with so many client processes, and eight at the most", async () => {
    const { workload, fansOut } = await asked(["clients=3"]);
    expect([workload.clients, workload.payloads, fansOut]).toEqual([3, [64, 4096], false]);
    expect((await asked(["clients=100"])).workload.clients).toBe(8);
    expect((await asked(["clients=1"])).workload.clients).toBe(1);
  });

  it("is measured with two for each CPU where there is a rate, and at half of it too, on all CPUs", async () => {
    const clients = Math.min(8, 2 * availableParallelism());
    const { workload } = await asked(["clients=100"], { rate: [5000] });
    expect(workload).toMatchObject({ clients, ratePerSecond: 5000, otherLoads: [{ clients, ratePerSecond: 2500 }] });
    expect(placementFor(workload)).toBe("unpinned");
    const several = await asked(["clients=2"], { rate: [10, 20] });
    expect(several.workload).toMatchObject({ clients: 2, otherLoads: [{ clients: 2, ratePerSecond: 20 }] });
    const typed = await asked(["clients=100"], { rate: [10], clients: [3] });
    expect(typed.workload).toMatchObject({ clients: 3, ratePerSecond: 10, otherLoads: [] });
    const alone = workloadOf(optionsOf({ clients: [1], rate: [10] }));
    expect([placementFor(alone), placementFor(workloadOf(optionsOf({ clients: [8] })))]).not.toContain("unpinned");
  });

  it("leaves typed clients, those of a profile, a codec and published messages as they are", async () => {
    expect((await asked(["clients=100"], { clients: [2] })).workload.clients).toBe(2);
    expect((await asked(["clients=3"], { profile: "many-clients" })).workload.clients).toBe(8);
    expect((await asked(["clients=3"], { codec: ["json"] })).workload).toMatchObject({ clients: 1, codec: "json" });
    expect(await asked(["clients=3", "fan-out"])).toMatchObject({ fansOut: true, workload: { clients: 1 } });
    expect(await asked(["clients=3", "fan-out"], { optimize: "p99" })).toMatchObject({
      ...{ fansOut: false, workload: { clients: 3 } },
    });
  });

  it("is named in the question of the pick, so that the sentence can name what was not measured", async () => {
    const question = await asked(["clients=100"]);
    expect(questionFor(optionsOf({}), question, cellsFor(question), ["two-cpus"])).toMatchObject({
      ...{ benchmark: "workload", clients: 8, ratePerSecond: null, neededClients: 100, payloads: [64, 4096] },
    });
  });
});

describe("the codec of compare", () => {
  const at = (options: Partial<MeasureOptions>, base = {}): Workload => {
    const all = optionsOf(options);
    return withCodec(workloadOf(all, base), all);
  };

  it("is the one asked for, or that of the profile, at sizes that hold a value", () => {
    expect(at({ codec: ["cbor"] }, { codec: "json" })).toMatchObject({ codec: "cbor", payloads: [4096] });
    expect(at({ payload: [2048] }, { codec: "json" })).toMatchObject({ codec: "json", payloads: [2048] });
    expect(at({ codec: ["raw"], payload: [64] })).toMatchObject({ codec: "raw", payloads: [64] });
    expect(at({}).codec).toBeNull();
    expect(sizedCells("json", [2048]).map(({ variant, payloadBytes }) => [variant, payloadBytes])).toEqual([
      [{ codec: "json" }, 2048],
    ]);
  });

  it.for([
    [{ codec: ["json", "cbor"] }, "compare takes one codec"],
    [{ codec: ["all"] }, "compare takes one codec"],
    [{ codec: ["json"], clients: [2] }, "--codec json is for one client that waits for each reply"],
    [{ codec: ["json"], payload: payload("1KiB:100") }, "--codec json is for one client"],
    [{ codec: ["json"], payload: [1024, 64] }, "payload 64 is too small for a value in json; give at least 256 bytes"],
  ] as const)("refuses %j", ([options, sentence]) => {
    expect(() => at(options)).toThrow(sentence);
  });

  it("is not said to have been typed where the profile has it", () => {
    expect(() => at({ clients: [8] }, { codec: "json" })).toThrow(
      /^the profile has --codec json, .* another --profile$/,
    );
  });
});

it("says what a p99 takes that was asked for and is not there", () => {
  const row = (latencyNs: object): Report["measurements"][number] =>
    ({ transport: "unix", status: "measured", latencyNs }) as unknown as Report["measurements"][number];
  expect(lackOfP99([row({ count: 5000, p99: 1 })])).toBeUndefined();
  expect(lackOfP99([row({ count: 400 })])).toMatch(/no p99 of unix: .* this run has 400; .* 5 times as long/);
});

describe("a workload", () => {
  const sandbox = new Sandbox();
  afterAll(() => sandbox.remove());
  const load = ["--clients", "2", "--rate", "200", "--payload", "64:90,4KiB:10", "--work", "50us"];
  const short = ["--trials", "1", "--messages", "40", "--no-c-baseline", "--json", "--out", "out"];

  it("is measured as it was asked for", async () => {
    const args = ["measure", "--transport", "unix", "--mode", "event", "--placement", "unpinned"];
    const { code, stdout, stderr } = await sandbox.run([...args, ...load, ...short]);
    const [row, ...others] = (JSON.parse(stdout) as Report).measurements;
    expect(others, stderr).toEqual([]);
    expect(row).toMatchObject({
      ...{ benchmark: "workload", clients: 2, ratePerSecond: 200, workMicros: 50, payloadBytes: 467 },
      mix: [
        { bytes: 64, share: 0.9 },
        { bytes: 4096, share: 0.1 },
      ],
    });
    // A machine that is too busy for 200 requests a second has an answer too.
    if (row?.status !== "measured")
      return expect(row?.reason, stderr).toMatch(/kept|keep the rate|behind its schedule/);
    expect([row.lost, row.latencyNs?.count]).toEqual([0, 40]);
    expect(row.latenessNs?.p50).toBeGreaterThan(0);
    expect(code, stderr).toBe(0);
  }, 120_000);

  it.runIf(TEST_ALL)(
    "is what compare measures, and its pick is made for",
    async () => {
      const { stdout, stderr } = await sandbox.run(["compare", "--transport", "unix,fifo,stdio", ...load, ...short]);
      const { measurements } = JSON.parse(stdout) as Report;
      expect(new Set(measurements.map(({ benchmark }) => benchmark)), stderr).toEqual(new Set(["workload"]));
      expect(measurements.find(({ transport }) => transport === "stdio")).toMatchObject({
        ...{ status: "not-applicable", reason: "no other process can reach its server: 1 client, not 2" },
      });
    },
    120_000,
  );
});
