import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CODEC_IDS } from "../../scenarios/benchmark.ts";
import { loopback } from "../../transports/loopback/loopback.ts";
import { cellReason } from "../coordinator/arm.ts";
import type { Measurement, Report } from "../results/model.ts";
import { type CliResult, Sandbox } from "../testing/sandbox.ts";
import { chooseCodecs, codecCells, parseCodec } from "./codecs.ts";

const ARGS = ["--codec", "json", "raw", "--transport", "loopback", "--trials", "1", "--messages", "20", "--seed", "7"];

describe("measure --codec", () => {
  const sandbox = new Sandbox();
  let result: CliResult;
  let report: Report;
  beforeAll(async () => {
    result = await sandbox.run(["measure", ...ARGS, "--placement", "unpinned", "--json", "--out", "out"]);
    report = JSON.parse(result.stdout);
  }, 120_000);
  afterAll(() => sandbox.remove());

  const row = (codec: string, corpus: string): Measurement | undefined =>
    report.measurements.find((cell) => cell.codec === codec && cell.corpus === corpus);

  it("measures each codec with each kind of value, and nothing that was not asked for", () => {
    expect(result.code, result.stderr).toBe(0);
    expect(report.measurements.map(({ codec, corpus }) => `${codec} ${corpus}`).sort()).toEqual([
      "json blob-1mib",
      "json rpc-object",
      "json table-200",
      "raw blob-1mib",
      "raw rpc-object",
      "raw table-200",
    ]);
    for (const corpus of ["rpc-object", "table-200", "blob-1mib"]) {
      expect(row("json", corpus)).toMatchObject({ status: "measured", messages: 20, benchmark: "codec-round-trip" });
    }
    expect(row("raw", "table-200")).toMatchObject({
      status: "not-applicable",
      reason: expect.stringMatching(/fields/),
    });
  });

  it("reports the encoded size, which is that of the table of codecs", () => {
    expect(row("raw", "blob-1mib")?.payloadBytes).toBe(1024 * 1024);
    const inTable = report.codecs?.find(({ codec, corpus }) => codec === "json" && corpus === "table-200");
    expect(inTable).toMatchObject({ status: "measured", bytes: row("json", "table-200")?.payloadBytes });
    expect(report.codecs).toHaveLength(6);
  });

  it("puts the codecs alone on the page, and leaves nothing behind", () => {
    expect(readFileSync(join(sandbox.directory, "out/report.html"), "utf8")).toContain("Codecs alone");
    expect(sandbox.leftovers()).toEqual([]);
  });
});

describe("compare --codec", () => {
  const sandbox = new Sandbox();
  afterAll(() => sandbox.remove());

  it("measures values of the size that was asked for, and rules out by name what cannot carry them", async () => {
    const what = ["--codec", "json", "--payload", "16KiB", "--transport", "stdio,python-connection"];
    const short = ["--trials", "1", "--messages", "20", "--json", "--out", "out"];
    const { stdout, stderr } = await sandbox.run(["compare", ...what, ...short]);
    const { measurements, pick, question }: Report = JSON.parse(stdout);
    expect(
      measurements.map(({ benchmark, codec }) => `${benchmark} ${codec}`),
      stderr,
    ).toEqual(measurements.map(() => "codec-round-trip json"));
    expect(measurements.find(({ transport }) => transport === "stdio")).toMatchObject({
      ...{ status: "measured", messages: 20, payloadBytes: 16_384, lost: 0 },
    });
    expect(question?.workload.codec).toBe("json");
    expect(pick).toMatchObject({ transport: "stdio", workload: { codec: "json", payloads: [16_384] } });
    expect(pick?.sentence).toContain("16 KiB requests in json");
    // Its server is in Python where there is one; that has no codecs of ours.
    const isPython = measurements.some(({ peer }) => peer.language === "python");
    const reason = "16 KiB: only peers on Node have these codecs, and this one is written in python";
    expect(pick?.ruledOut).toEqual(isPython ? [{ transport: "python-connection", reason }] : []);
  }, 120_000);
});

describe("choosing codecs", () => {
  it("names the nearest of a name that does not exist", () => {
    expect(() => parseCodec("jsn")).toThrow(/unknown codec "jsn" \(did you mean json\?\); valid: raw, json.*all/);
  });

  it("takes all where all are asked for, or their benchmark alone is", () => {
    expect(chooseCodecs(["all"], undefined)).toEqual(CODEC_IDS);
    expect(chooseCodecs(undefined, ["codec-round-trip"])).toEqual(CODEC_IDS);
    expect(chooseCodecs(undefined, ["all"])).toEqual([]);
    expect(chooseCodecs(["cbor", "json"], undefined)).toEqual(["json", "cbor"]);
  });

  it("says why a cell does not exist: another language, or a message that is too large", async () => {
    const cpus = { driver: "0", peer: "0", driverPin: [], peerPin: [], readyPin: [] };
    const reference = { id: "loopback", module: null };
    const arm = { transport: loopback, reference, mode: "event", placement: "unpinned", cpus, codec: "json" } as const;
    const cells = await codecCells(["json"]);
    const reasons = (transport: typeof loopback, peerLanguage: string): (string | undefined)[] =>
      cells.map((cell) => cellReason({ ...arm, transport, peerLanguage }, cell));
    expect(reasons(loopback, "node")).toEqual([undefined, undefined, undefined]);
    expect(reasons(loopback, "python").every((reason) => /written in python/.test(reason ?? ""))).toBe(true);
    const small = { ...loopback, capabilities: { ...loopback.capabilities, maxMessageBytes: 8192 } };
    expect(reasons(small, "node").map((reason) => /at most 8176 bytes/.test(reason ?? ""))).toEqual([
      false,
      true,
      true,
    ]);
  });
});
