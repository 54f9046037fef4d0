import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { Header } from "tar";
import { afterAll, describe, expect, it, test } from "vitest";
import { fixtureReport } from "../../reports/testing/fixture.ts";
import { bundleFiles, SUMS, wrongFiles } from "../archive/contents.ts";
import { reproduceScript } from "../archive/reproduce.ts";
import { packed, unpacked } from "../archive/tarball.ts";
import { describeVersions } from "../archive/versions.ts";
import { reportIn } from "../results/load-report.ts";
import type { Report } from "../results/model.ts";
import { StoreError } from "../results/store.ts";
import { openBundle } from "./bundle.ts";

const folder = mkdtempSync(join(tmpdir(), "bundle-"));
afterAll(() => rmSync(folder, { recursive: true }));
const report: Report = {
  ...fixtureReport({ trials: 3, payloads: [64] }),
  commandLine: "ipcmark compare --transport unix tcp --seed 5 --out /opt/me/out '--need=clients=8' --json",
};
const files = bundleFiles(report, { sources: {} });
const archive = await packed(files);
const place = (name: string, bytes: Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

describe("an archive of a run", () => {
  it("has the report, the order, each trial, failures, versions, the script and the hashes of all", async () => {
    const { report: found, script } = await openBundle(place("good.tgz", archive));
    expect(reportIn(found, "good.tgz", "").measurements).toHaveLength(report.measurements.length);
    expect(script).toContain("compare --transport unix tcp --need=clients=8 --seed 7 --out ipcmark-reproduced");
    const trials = report.measurements.flatMap((row) => row.trials);
    expect(files.get("trials.ndjson")?.trimEnd().split("\n")).toHaveLength(trials.length);
    const order = JSON.parse(files.get("order.json") ?? "") as { seed: number; trials: { startedAtMs: number }[] };
    expect(order.trials).toHaveLength(trials.length);
    expect(order.trials.map(({ startedAtMs }) => startedAtMs)).toEqual(
      trials.map(({ startedAtMs }) => startedAtMs).sort((a, b) => a - b),
    );
    expect(files.get("failures.ndjson")).toMatch(/"kind":"check"/);
    expect([...files.keys()].at(-1)).toBe(SUMS);
  });

  it("is read by tar and sha256sum too, and is the same for the same report", async () => {
    expect((await packed(files)).equals(archive)).toBe(true);
    const sums = spawnSync("sh", ["-c", `tar -xzf good.tgz && cd ipcmark-bundle && sha256sum -c ${SUMS}`], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(sums).toMatchObject({ status: 0, stdout: expect.stringMatching(/report\.json: OK\n/) });
  });

  it("names no path, no vendor's kernel and no memory of the machine", () => {
    const warnings = [{ id: "crash", text: "see /opt/me/secret/core", where: {} }] as Report["warnings"];
    const environment = { ...report.environment, kernel: "6.1.0-vendor-7" };
    const told = [...bundleFiles({ ...report, warnings, environment }, {}).values()].join("");
    expect(told).not.toMatch(/opt\/me|vendor|memoryBytes/);
    expect(told).toMatch(/"kernel":"6\.1"/);
  });

  it("has the versions and hashes of sources, packages and runtime", async () => {
    const versions = (await describeVersions(report)) as {
      sources: Record<string, string>;
      packages: Record<string, string>;
      now: Record<string, string>;
      run: Record<string, string>;
    };
    expect(versions.sources["harness/archive/versions.ts"]).toMatch(/^[\da-f]{64}$/);
    expect(Object.keys(versions.sources).length).toBeGreaterThan(300);
    expect(versions.packages["commander"]).toMatch(/^\d+\./);
    expect(versions.now["node"]).toBe(process.versions.node);
    expect(versions.now["executable"]).toMatch(/^[\da-f]{64}$/);
    expect(versions.run["node"]).toBe(report.environment.node);
  });
});

describe("a changed archive", () => {
  it.each([...files.keys()])("is refused with the name of the file: a byte of %s", async (name) => {
    const text = files.get(name) as string;
    const changed = new Map(files).set(name, text.replace(/[\w\s](?=.?.?$)/s, "#"));
    const path = place("changed.tgz", await packed(changed));
    await expect(openBundle(path)).rejects.toThrow(new RegExp(`"${path}" was changed after it was packed: .*${name}`));
  });

  it("is refused where a file is missing or new, and where a byte of the archive itself is another one", async () => {
    const missing = new Map(files);
    missing.delete("order.json");
    expect(wrongFiles(missing)).toEqual(["order.json is missing"]);
    expect(wrongFiles(new Map(files).set("run.sh", "x"))).toEqual([`run.sh is not in ${SUMS}`]);
    expect(wrongFiles(new Map())).toEqual([`${SUMS} is missing`]);
    for (const at of [20, archive.length >> 1, archive.length - 6]) {
      const bytes = Buffer.from(archive);
      bytes[at] = (bytes[at] as number) ^ 1;
      await expect(openBundle(place("flipped.tgz", bytes))).rejects.toThrow(StoreError);
    }
  });
});

type Fields = Record<string, unknown>;

/** Makes an archive of entries that `bundle` would never write. */
function hostile(entries: readonly (readonly [Fields, string?])[]): Buffer {
  const blocks = entries.flatMap(([fields, text = ""]) => {
    const content = Buffer.from(text);
    const head = Buffer.alloc(512);
    const all = { mode: 0o644, type: "File", size: content.length, mtime: new Date(0), path: "x", ...fields };
    new Header(all as unknown as ConstructorParameters<typeof Header>[0]).encode(head);
    return [head, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

const IN = "ipcmark-bundle/";

describe("a hostile archive", () => {
  const pax = (path: string): string => {
    const record = ` path=${path}\n`;
    const length = [1, 2, 3]
      .map((digits) => record.length + digits)
      .find((all) => String(all).length === all - record.length);
    return `${length}${record}`;
  };
  it.each<readonly [string, readonly (readonly [Fields, string?])[], RegExp]>([
    ["an absolute path", [[{ path: "/etc/passwd" }, "x"]], /"\/etc\/passwd" in it is an absolute path/],
    ["a drive", [[{ path: "C:/x" }, "x"]], /absolute path/],
    ["an upward path", [[{ path: `${IN}../../x` }, "x"]], /leads out of its folder/],
    ["an upward path of Windows", [[{ path: `${IN}..\\x` }, "x"]], /leads out of its folder/],
    [
      "a symbolic link",
      [[{ path: `${IN}report.json`, type: "SymbolicLink", linkpath: "/etc/passwd" }]],
      /is a SymbolicLink/,
    ],
    ["a hard link", [[{ path: `${IN}report.json`, type: "Link", linkpath: "/etc/passwd" }]], /is a Link/],
    ["a device", [[{ path: `${IN}report.json`, type: "CharacterDevice" }]], /is a CharacterDevice/],
    ["a FIFO", [[{ path: `${IN}report.json`, type: "FIFO" }]], /is a FIFO/],
    ["a folder", [[{ path: `${IN}a/`, type: "Directory" }]], /is a Directory/],
    ["a file elsewhere", [[{ path: "other/report.json" }, "x"]], /no file of a bundle/],
    ["a hidden file", [[{ path: `${IN}.bashrc` }, "x"]], /no file of a bundle/],
    ["a control character", [[{ path: `${IN}a\u001b[2J.json` }, "x"]], /no file of a bundle/],
    [
      "a name twice",
      [
        [{ path: `${IN}a.json` }, "x"],
        [{ path: `${IN}a.json` }, "y"],
      ],
      /is in it twice/,
    ],
    [
      "many files",
      Array.from({ length: 40 }, (_, at) => [{ path: `${IN}a${at}.json` }, "x"] as const),
      /more than 32 files/,
    ],
    [
      "a path behind an extended header",
      [
        [{ path: "PaxHeader/a", type: "ExtendedHeader" }, pax("../../x")],
        [{ path: `${IN}a.json` }, "x"],
      ],
      /leads out of its folder/,
    ],
  ])("is refused: %s", async (_name, entries, message) => {
    const before = readdirSync(folder).length;
    const path = join(folder, "hostile.tgz");
    await expect(unpacked(hostile(entries), path)).rejects.toThrow(message);
    await expect(unpacked(hostile(entries), path)).rejects.toThrow(StoreError);
    expect(readdirSync(folder)).toHaveLength(before);
  });

  it("is refused where it unpacks to more than the limit, or claims a size that it does not have", async () => {
    const zeros = gzipSync(Buffer.alloc(4 * 1024 ** 2));
    expect(zeros.length).toBeLessThan(10_000);
    await expect(unpacked(zeros, "bomb.tgz", { files: 4, bytes: 1024 ** 2 })).rejects.toThrow(
      /unpacks to more than 1048576 bytes/,
    );
    const cut = gzipSync(gunzipSync(hostile([[{ path: `${IN}a.json`, size: 1e9 }, "x"]])));
    await expect(unpacked(cut, "cut.tgz")).rejects.toThrow(StoreError);
    await expect(unpacked(gzipSync("no tar at all"), "text.tgz")).rejects.toThrow(StoreError);
    await expect(openBundle(place("plain.tgz", Buffer.from("plain text")))).rejects.toThrow(/gzip data is damaged/);
    await expect(openBundle(folder)).rejects.toThrow(/it is a directory/);
    const text = '{"__proto__":{}}';
    const sums = `${createHash("sha256").update(text).digest("hex")}  report.json\n`;
    const proto = await packed(
      new Map([
        ["report.json", text],
        [SUMS, sums],
      ]),
    );
    await expect(openBundle(place("proto.tgz", proto))).rejects.toThrow(
      /report\.json in .* \(it has a key "__proto__"\)/,
    );
  });
});

describe("the script that repeats a run", () => {
  const scriptOf = (commandLine: string): string => reproduceScript({ ...report, commandLine }, "CPU\nreboot");

  test("keeps every word of a hostile command line a word", () => {
    const mark = join(folder, "mark");
    const script = scriptOf(`ipcmark measure '$(touch ${mark})' '; touch ${mark} #' '\`touch ${mark}\`'`);
    const run = spawnSync("sh", ["-c", script], { encoding: "utf8", env: { ...process.env, IPCMARK: "printf %s|" } });
    expect(run.stdout).toContain(`measure|$(touch ${mark})|; touch ${mark} #|\`touch ${mark}\`|--seed|`);
    expect(existsSync(mark)).toBe(false);
    expect(script).not.toMatch(/^reboot/m);
  });

  test("is only a comment where the line cannot be read for certain", () => {
    for (const line of ["ipcmark 'a'b' compare", "rm -rf x", "ipcmark gate --cmd x", "ipcmark compare $(x)"])
      expect(
        scriptOf(line)
          .split("\n")
          .filter((each) => !each.startsWith("#")),
      ).toEqual([""]);
  });

  test("is printed, and nothing starts it", () => {
    const sources = ["bundle.ts", "report.ts"].map((name) => readFileSync(join(import.meta.dirname, name), "utf8"));
    expect(sources.join("")).not.toMatch(/child_process|spawn|exec\(/);
  });
});
