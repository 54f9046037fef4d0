import { execFileSync } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { fixtureReport } from "../../reports/testing/fixture.ts";
import { fullReport } from "../../reports/testing/fixture-machine.ts";
import { loadReport } from "./load-report.ts";
import type { Report, Warning } from "./model.ts";
import { StoreError, store } from "./store.ts";

const directory = mkdtempSync(join(tmpdir(), "store-test-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;
const file = (content: string | Uint8Array): string => {
  const path = join(directory, `report-${files++}.json`);
  writeFileSync(path, content);
  return path;
};

const options = { trials: 1, placements: ["two-cpus"], payloads: [64] } as const;
const small = fixtureReport(options);
const json = JSON.stringify(small);

/** Returns the sentence that a file is refused with. */
function refusal(path: string): string {
  try {
    loadReport(path);
  } catch (error) {
    expect(error).toBeInstanceOf(StoreError);
    expect((error as Error).message).not.toContain("\n");
    return (error as Error).message;
  }
  throw new Error(`${path} was taken for a report`);
}

/** Returns the small report with one value replaced: `measurements.0.latencyNs.p50`. */
function withValue(path: string, value: unknown): string {
  const report: Report = structuredClone(small);
  const names = path.split(".");
  const last = names.pop() as string;
  const parent = names.reduce(
    (part, name) => part[name] as Record<string, unknown>,
    report as never as Record<string, unknown>,
  );
  if (value === undefined) delete (parent as Record<string, unknown>)[last];
  else (parent as Record<string, unknown>)[last] = value;
  return file(JSON.stringify(report).replaceAll('"1e999"', "1e999"));
}

/** Builds a histogram by its published layout, with any header. */
function histogram({ digits = 3, highest = 60_000_000_000n, counts = Buffer.of(2, 2) as Buffer }): string {
  const inner = Buffer.alloc(40 + counts.length);
  inner.writeUInt32BE(0x1c849313, 0);
  inner.writeUInt32BE(counts.length, 4);
  inner.writeUInt32BE(digits, 12);
  inner.writeBigUInt64BE(1n, 16);
  inner.writeBigUInt64BE(highest, 24);
  counts.copy(inner, 40);
  const packed = deflateSync(inner);
  const outer = Buffer.alloc(8);
  outer.writeUInt32BE(0x1c849314, 0);
  outer.writeUInt32BE(packed.length, 4);
  return Buffer.concat([outer, packed]).toString("base64");
}

describe("a report of ours", () => {
  it.each([
    ["as compare writes it", fixtureReport({ ...options, trials: 6 })],
    ["with everything a report can have", fullReport(options)],
  ])("is read back: %s", (_, report) => {
    expect(loadReport(file(JSON.stringify(report)))).toEqual(JSON.parse(JSON.stringify(report)));
  });

  it.each<[string, Uint8Array]>([
    ["UTF-8 with a byte order mark", Buffer.from(`\ufeff${json}`)],
    ["UTF-16, little-endian", Buffer.from(`\ufeff${json}`, "utf16le")],
    ["UTF-16, big-endian", Buffer.from(`\ufeff${json}`, "utf16le").swap16()],
  ])("is read in %s", (_, bytes) => {
    expect(loadReport(file(bytes))).toEqual(JSON.parse(json));
  });

  it("of version 1 is read under the names of version 2", () => {
    const now = fullReport(options);
    const { cBaseline: limits, cBaselineReason, ...same } = now;
    const textsOf = (list: readonly Warning[]): string[] => list.map(({ text }) => text);
    const measurements = now.measurements.map((row) => {
      const { cBaseline: limit, ...rest } = { cBaseline: undefined, ...row, warnings: textsOf(row.warnings) };
      return { ...rest, ...(limit && { limit }) };
    });
    const before = { ...same, schemaVersion: 1, measurements, limits, warnings: textsOf(now.warnings) };
    const found = loadReport(file(JSON.stringify({ ...before, limitsReason: "no limits: there is no cc" })));
    const unclassified = (list: readonly Warning[]): Warning[] =>
      list.map(({ text }) => ({ id: "unclassified", text, where: {} }));
    const expected = {
      ...now,
      cBaselineReason: { ...cBaselineReason, status: "unavailable", reason: "there is no cc" },
      warnings: unclassified(now.warnings),
      measurements: now.measurements.map((row) => ({ ...row, warnings: unclassified(row.warnings) })),
    };
    expect(found).toEqual(JSON.parse(JSON.stringify(expected)));
  });

  it("may have fields of a later version, and histograms by others", () => {
    expect(loadReport(withValue("environment.colour", { of: ["the machine"] }))).toBeDefined();
    expect(loadReport(withValue("measurements.0.histogram", histogram({})))).toBeDefined();
  });
});

describe("a file that is no report is refused with one sentence", () => {
  it.each<[string, string | Uint8Array, RegExp]>([
    ["empty", "", /it is empty/],
    ["no text", Buffer.of(0x80, 0x81), /its bytes are no UTF-8 text/],
    ["nested beyond reason", "[".repeat(3_000_000), /more than 32 levels deep/],
    ["nested in an unread field", json.replace("{", `{"more":${"[".repeat(40)}${"]".repeat(40)},`), /32 levels deep/],
    ["crowded", `[${"0,".repeat(5_000_001)}0]`, /more than 5000000 values/],
    ["with a key that is a prototype", json.replace('"seed"', '"__proto__":{"seed":1},"seed"'), /a key "__proto__"/],
    ["with such a key in disguise", json.replace('"driver"', '"\\u005f_proto__":{},"driver"'), /a key "__proto__"/],
    ["cut short", json.slice(0, -5), /is not JSON/],
    ["of a future version", '{"schemaVersion":99}', /has schema version 99/],
  ])("%s", (_, content, sentence) => {
    expect(refusal(file(content))).toMatch(sentence);
  });

  it.skipIf(process.platform === "win32")("a FIFO without a writer, a device, a directory, a missing file", () => {
    const fifo = join(directory, "fifo");
    execFileSync("mkfifo", [fifo]);
    expect(refusal(fifo)).toMatch(/it is a FIFO/);
    expect(refusal("/dev/zero")).toMatch(/it is a device/);
    expect(refusal(directory)).toMatch(/it is a directory/);
    expect(refusal(join(directory, "nothing"))).toMatch(/no such file/);
  });

  it("whose matrix of checks would have too many cells to read", () => {
    const [check] = fullReport().checks;
    const checks = Array.from({ length: 201 }, (_, index) => ({
      ...check,
      scenario: `s${index}`,
      transport: `t${index}`,
    }));
    const path = file(JSON.stringify({ ...small, checks }));
    expect(refusal(path)).toMatch(
      /\/checks: expected at most 20000 pairs of a transport and a check, found \d+ times 201/,
    );
  });

  it("of absurd size, without reading it", () => {
    const path = file("");
    execFileSync("truncate", ["-s", "1T", path]);
    expect(refusal(path)).toMatch(/has 1099511627776 bytes, and at most \d+ are read/);
  });

  it.each<[string, unknown, RegExp]>([
    ["measurements.0.latencyNs.p50", "fast", /\/measurements\/0\/latencyNs\/p50: expected number, found "fast"/],
    ["measurements.0.latencyNs.p50", -1, /p50: expected > 0, found -1/],
    ["measurements.0.latencyNs.p50", 0, /p50: expected > 0, found 0/],
    ["measurements.0.latencyNs.p99", 1e18, /p99: expected <= 86400000000000, found 1000000000000000000/],
    ["measurements.0.latencyNs.mean", "1e999", /mean: expected .*found Infinity/],
    ["measurements.0.latencyNs.count", 1.5, /count: expected integer, found 1.5/],
    ["measurements.0.latencyNs.p99", 1, /measurements\/0\/latencyNs\/p99: expected >= \d+, found 1\)/],
    ["measurements.0.trials.0.latencyNs.min", 1e9, /trials\/0\/latencyNs\/p50: expected >= 1000000000, found \d+\)/],
    ["measurements.0.interval.p50", [3, 2], /interval\/p50\/1: expected >= 3, found 2\)/],
    ["measurements.0.interval.p50", [0, 2], /interval\/p50\/0: expected > 0, found 0\)/],
    ["measurements.0.messagesPerSecond", 0, /messagesPerSecond: expected > 0, found 0\)/],
    ["measurements.0.interval.p50", [1], /interval\/p50: .*found an array of 1/],
    ["measurements.0.mode", "waiting", /mode: expected one of event, blocking, polling, found "waiting"/],
    ["measurements.0.trials", { length: 3 }, /trials: expected array, found an object/],
    ["measurements.0.trials.0.latencyNs.p50", 0, /trials\/0\/latencyNs\/p50: expected > 0, found 0/],
    ["measurements.0.warnings", [7], /warnings\/0: expected object, found 7/],
    ["measurements.0.warnings", [{ id: "odd", text: "", where: {} }], /warnings\/0\/id: expected one of .*found "odd"/],
    ["measurements.0.lost", -3, /lost: expected >= 0, found -3/],
    ["measurements.0.histogram", "SGVsbG8=", /histogram: expected an HdrHistogram.*found "SGVsbG8="/],
    ["measurements.0.histogram", histogram({ digits: 9 }), /expected an HdrHistogram/],
    ["measurements.0.histogram", histogram({ highest: 2n ** 62n }), /expected an HdrHistogram/],
    ["measurements.0.histogram", histogram({ counts: Buffer.alloc(64 * 1024 * 1024) }), /expected an HdrHistogram/],
    ["measurements.0", null, /\/measurements\/0: expected object, found null/],
    ["transports.0.version", undefined, /\/transports\/0: "version" is missing/],
    ["transports.0.capabilities.modes", ["event", 3], /modes\/1: expected one of/],
    ["checks.0.title", undefined, /\/checks\/0: "title" is missing/],
    ["checks.0.status", "fine", /status: expected one of passed/],
    ["pick.ranking", [{}], /\/pick\/ranking\/0: "transport" is missing/],
    ["environment.ffi.callNs", [], /callNs: expected number or null, found an array of 0/],
    ["environment.placements", { "three-cpus": {} }, /placements: /],
  ])("because of %s", (path, value, sentence) => {
    expect(refusal(withValue(path, value))).toMatch(sentence);
  });
});

describe("storing", () => {
  it("replaces a link instead of writing where it points, and leaves nothing else", () => {
    const precious = file("precious");
    const out = join(directory, "out");
    mkdirSync(out);
    symlinkSync(precious, join(out, "report.json"));
    store(out, "report.json", "new");
    expect(readFileSync(precious, "utf8")).toBe("precious");
    expect(lstatSync(join(out, "report.json")).isFile()).toBe(true);
    expect(readdirSync(out)).toEqual(["report.json"]);
    // The first name, and a link there to something precious, cannot be prepared: no two names are the same.
    mkdirSync(join(out, "taken"));
    expect(() => store(out, "taken", "new")).toThrow(StoreError);
    expect(readdirSync(out).toSorted()).toEqual(["report.json", "taken"]);
  });
});
