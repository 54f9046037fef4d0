import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ABSENT,
  bytes,
  duration,
  durationRange,
  quantity,
  quantityRange,
  ratio,
  ratioRange,
} from "../../harness/results/format.ts";
import type { Measurement, Report } from "../../harness/results/model.ts";
import { type Contender, rankByRounds } from "../../harness/results/ranking.ts";
import { upgraded } from "../../harness/results/upgrade.ts";
import { fixtureReport } from "../testing/fixture.ts";
import { fullReport } from "../testing/fixture-machine.ts";
import { loadScript } from "./assets.ts";
import { linked } from "./link.ts";
import { html, jsonForScript } from "./markup.ts";
import { percentilePoints } from "./percentiles.ts";
import { renderHtml } from "./render.ts";
import { type View, viewOf } from "./view.ts";

const report = fixtureReport();

describe("the page", () => {
  test("refers to nothing outside itself", async () => {
    const page = await renderHtml(report);
    const withoutScripts = page.replace(/<script[\s\S]*?<\/script>/g, "");
    const references = withoutScripts.match(/\b(src|srcset|href|action|data)\s*=\s*\S+/g);
    const targets = (references ?? []).map((reference) => /^href="#([\w-]+)">/.exec(reference)?.[1] ?? reference);
    expect(targets).toEqual(expect.arrayContaining(["main", "ranking", "checks", "raw"]));
    for (const target of targets) expect(page.split(` id="${target}"`)).toHaveLength(2);
    expect(withoutScripts.match(/url\(|@import|https?:/g)).toBeNull();
    expect(page.includes("sourceMappingURL")).toBe(false);
  });

  test("takes less than 600 kB besides the data of the report", async () => {
    const page = await renderHtml(fullReport({ trials: 6 }));
    const own = page.replace(/<script type="application\/json"[\s\S]*?<\/script>/g, "");
    expect(Buffer.byteLength(own)).toBeLessThan(600_000);
    expect(Buffer.byteLength(own)).toBeGreaterThan(200_000);
  });

  test("has a text for every placeholder of an old report and does not stop at missing fields", async () => {
    const first = {
      schemaVersion: 1,
      environment: {},
      transports: report.transports,
      checks: [],
      measurements: report.measurements.map((cell) => {
        const { benchmark, transport, mode, placement, payloadBytes, status } = cell;
        const { latencyNs } = cell.status === "measured" ? cell : {};
        return { benchmark, transport, mode, placement, payloadBytes, status, latencyNs };
      }),
    };
    const old = upgraded(JSON.parse(JSON.stringify(first))) as Report;
    const page = await renderHtml(old);
    const visible = page.replace(/<(script|style)[\s\S]*?<\/\1>/g, "");
    expect(visible).toContain("not recorded");
    expect(visible.match(/.{30}(undefined|NaN|\[object).{10}/g)).toBeNull();
  });

  test("shows what a check counted in words, nothing of no time, and that a run overran", async () => {
    const [first] = report.checks as [Report["checks"][number]];
    const run = {
      ...(fullReport().duration as NonNullable<Report["duration"]>),
      plannedMs: 144_000,
      actualMs: 399_000,
    };
    const notes = { noticedAfterMs: 38, largestBytes: 2048, serverIdlePercent: 1.5, threadsAdded: 0 };
    const page = await renderHtml({ ...report, duration: run, checks: [{ ...first, notes, durationMs: 0 }] });
    const words = "noticed after 38.0 ms; largest 2 KiB; server idle 1.5 %; threads added 0";
    expect(page).toContain(`${words}"><span`);
    expect(page).toContain("planned 144 s, took 399 s and overran by 255 s");
  });

  test("is rendered for a run without measurements, checks or pick", async () => {
    const empty: Report = {
      ...report,
      measurements: [],
      checks: [],
      cBaseline: [],
      pick: null,
      warnings: [],
    };
    const page = await renderHtml(empty);
    expect(page).toContain("Nothing was measured in this run");
    expect(page).toContain("No check ran");
  });

  test("leaves out histograms of single trials when the report is large, and notes it", async () => {
    const first = report.measurements.find((cell) => cell.trials.length > 0) as Measurement;
    const trials = first.trials.map((trial) => ({ ...trial, histogram: "A".repeat(2_000_000) }));
    const page = await renderHtml({ ...report, measurements: [{ ...first, trials }] });
    expect(page.length).toBeLessThan(4_000_000);
    expect(page).toContain("were left out of this copy");
  });
});

test("a recheck is headed by its own result and marks what was decided, without the words of a pick", async () => {
  const recheck = { chosen: "fifo", outcome: "cannot-tell", conditions: [], sentence: "It is open." } as const;
  const sectionOf = async (of: Report): Promise<string> =>
    /<section id="verdict".*?<\/section>/s.exec(await renderHtml(of))?.[0] ?? "";
  const found = await sectionOf({ ...report, recheck });
  expect(found).toContain("<h1>This run cannot tell whether the decision for fifo still holds</h1>");
  expect(found).toMatch(/>\?<\/span> Recheck<\/b>\s*of a decision: fifo was measured again/);
  expect(found).toMatch(/<li class="decided"><span class="name"><code>fifo<.*?▶ decided/s);
  expect(found).toContain("About <code>unix</code>, the pick of this run by itself:");
  expect(found).not.toContain("▶ pick");
  const own = await sectionOf(report);
  expect(own).toContain("▶ pick");
  expect(own).not.toContain("Recheck");
  const without = await sectionOf({ ...report, pick: null, recheck });
  expect(without).toMatch(/decision for fifo still holds<\/h1>[\s\S]*It is open\./);
  expect(await renderHtml({ ...report, recheck })).toContain("<title>ipcmark: recheck of fifo</title>");
});

test("a baseline is first in no table", async () => {
  const page = await renderHtml(fullReport());
  const firsts = [...page.matchAll(/<tbody><tr[^>]*><th[^>]*><code>([^<]+)/g)].map(([, name]) => name);
  expect(firsts.length).toBeGreaterThan(3);
  expect(firsts).not.toContain("loopback");
  const view = JSON.parse(/ id="view">(.*?)<\/script>/s.exec(page)?.[1] ?? "") as View;
  expect(view.names[0]?.name).toBe("unix");
});

describe("the details", () => {
  const detailsOf = async (of: Report): Promise<string[][]> =>
    JSON.parse(/ id="details-data">(.*?)<\/script>/s.exec(await renderHtml(of))?.[1] ?? "");
  const cellsOf = async (of: Report, id: string): Promise<string[][]> => {
    const page = await renderHtml(of);
    const table = new RegExp(`<table id="${id}">[\\s\\S]*?<tbody>([\\s\\S]*?)</tbody>`).exec(page)?.[1] ?? "";
    return [...table.matchAll(/<tr>([\s\S]*?)<\/tr>/g)].map(([, row = ""]) =>
      [...row.matchAll(/<t[hd][^>]*>([\s\S]*?)<\/t[hd]>/g)].map(([, text = ""]) => text.replace(/<[^>]*>/g, "").trim()),
    );
  };

  test("have one line for every measured row, with its switches, memory, drift and distance to C", async () => {
    const full = fullReport();
    const rows = await detailsOf(full);
    expect(rows).toHaveLength(full.measurements.filter(({ status }) => status === "measured").length);
    const unix = rows.find(
      ([name, placement, mode, benchmark, size]) =>
        [name, placement, mode, benchmark, size].join() === "unix,two CPUs,event loop,round-trip,64 B",
    );
    expect(unix?.slice(7, 9)).toEqual(["1.98", "0.0120"]);
    expect(unix?.slice(10, 12)).toEqual(["80 MiB", "60 MiB"]);
    expect(unix?.slice(14, 17)).toEqual(["0.970× [0.95–0.99]", "1.02×", "3.17× [3.02–3.31]"]);
  });

  test("show what only some models have: lateness, parts, loss", async () => {
    const rows = await detailsOf(fullReport());
    const all = rows.map((row) => row.join(" | "));
    expect(all.find((row) => row.includes("came late"))).toContain(
      "late by 210 ns (p50), 5.40 µs (p99), 91.0 µs (most)",
    );
    expect(all.find((row) => row.includes("open-close"))).toContain("connect 105 µs, reply 61.0 µs, close 12.0 µs");
    expect(all.find((row) => row.includes("poisson"))).toContain("1.2 %");
  });

  test("have one line for every round with steal, load and control", async () => {
    const rows = await cellsOf(fullReport(), "rounds-table");
    expect(rows.map((row) => row.join(" "))).toEqual([
      "1 1.00 s 5.00 s 1.0 % 0.50 – two CPUs 20.1 µs two CPUs 84.0 µs",
      "2 6.00 s 5.00 s 1.0 % 0.50 – two CPUs 20.4 µs two CPUs 84.0 µs",
      "3 11.0 s 5.00 s 1.0 % 0.50 – two CPUs 24.9 µs two CPUs 84.0 µs",
    ]);
  });
});

describe("what the machine did", () => {
  const visible = async (of: Report): Promise<string> =>
    (await renderHtml(of))
      .replace(/<(script|style)[\s\S]*?<\/\1>/g, "")
      .replace(/<[^>]*>/g, " ")
      .replace(/\s+/g, " ");

  test("is shown with the tail floor, the drift of the frozen echo and the setting of the run", async () => {
    const text = await visible(fullReport());
    expect(text).toContain(
      "two CPUs 41.0 µs 84.0 µs – 2.41 ms 2720 this machine wakes a sleeping process within 84 µs",
    );
    expect(text).toContain("two CPUs 20.4 µs 20.1–24.9 1.24× 20.1 µs, 20.4 µs, 24.9 µs");
    expect(text).toContain(
      "quick, 3 rounds, planned 60.0 s, took 48.2 s: another round would not have fitted into 60 s",
    );
    expect(text).toContain("was not measured in this run: the C program was not asked for.");
    expect(text).toContain("Control group 1.5 CPUs, 2 GiB");
    expect(text).toContain("CPUs kept awake 0, 1, by a load of idle priority");
    expect(text).toContain("Fingerprint of machine and setting 0123456789abcdef");
    expect(text).toContain("Clock at the end of the run 2795 MHz");
  });

  test("names what was not recorded in one sentence, without a row for each", async () => {
    const full = fullReport();
    const { governor: _, ...environment } = full.environment;
    const page = await renderHtml({ ...full, environment: environment as Report["environment"] });
    expect(page).not.toMatch(/<th scope="row">Frequency governor/);
    expect(page).toMatch(/Not recorded: [^<]*Frequency governor[^<]*\.<\/p>/);
    expect(page).toContain('<th scope="row">CPU</th>');
  });

  test("leaves no empty table in a report that has none of it", async () => {
    const page = await renderHtml(report);
    for (const id of ["canaries", "controls-drift", "curves"]) expect(page).not.toContain(`id="${id}"`);
  });
});

describe("growth in numbers", () => {
  test("has its points, the fitted cost and the rate that was still followed", async () => {
    const page = await renderHtml(fullReport());
    const rows = (page.match(/<section id="curves">[\s\S]*?<\/section>/)?.[0] ?? "")
      .replace(/<[^>]*>/g, " ")
      .replace(/\s+/g, " ");
    expect(rows).toContain("64 B: 19.4 µs; 4 KiB: 21.1 µs; 64 KiB: 47.0 µs 19.4 µs 430 ns");
    expect(rows).toContain("load, 64 B, poisson 1.00 k/s: 21.0 µs; 4.00 k/s: 23.0 µs; 16.0 k/s: 190 µs 4.00 k/s");
    expect(rows).toContain("1.00 k/s: – none of the rates");
    expect(rows).toContain("4: 51.2 k/s");
  });
});

describe("the data of the script", () => {
  const { cells, tailFloors } = viewOf(fullReport());
  const of = (family: string) => cells.filter((cell) => cell.name === "unix" && cell.family === family);

  test("keeps batched and Poisson rows off the lines of sliding and fixed ones", () => {
    for (const family of ["pipeline", "pipeline, batched", "load", "load, poisson"])
      expect([family, of(family).length]).toEqual([family, 1]);
    expect(of("pipeline, batched")[0]?.benchmark).toBe("pipeline, 16 in flight batched");
  });

  test("has the distance to plain C, the loss, the idle cost and the tail floor in it", () => {
    expect(of("round-trip").find((cell) => cell.payload === 64)?.cRatio).toBe("3.17×");
    expect(of("load, poisson")[0]?.lossShare).toBe(0.0123);
    expect(of("idle")[0]?.missing).toBe("2.14 % of one CPU while idle (both processes together)");
    expect(tailFloors["two-cpus"]).toMatch(/^the machine's own tail floor: p99 84\.0 µs; /);
  });

  test("marks a distance to plain C that is not believed", () => {
    const measurements = fullReport().measurements.map((cell) =>
      cell.status === "measured" && cell.cBaseline
        ? { ...cell, cBaseline: { ...cell.cBaseline, ratio: 0.74, interval: [0.7, 0.8] as const } }
        : cell,
    );
    const [cell] = viewOf({ ...report, measurements }).cells.filter(({ cRatio }) => cRatio !== "");
    expect(cell).toMatchObject({ cRatio: "(0.740×)", cNote: expect.stringContaining("something else differed") });
  });

  test("names rows with a number before those without, which are never drawn and need no look", () => {
    const measurements = report.measurements.map((cell) =>
      cell.transport === "unix" ? { ...cell, status: "failed" as const, reason: "2 lost" } : cell,
    );
    const of = (one: Report): string[] => viewOf(one).names.map(({ name }) => name);
    expect(of({ ...report, measurements })).toEqual([...of(report).filter((name) => name !== "unix"), "unix"]);
  });
});

describe("text from a report", () => {
  test("is escaped in markup and cannot end a script element", () => {
    const hostile = `</script><b title="x">'&`;
    expect(html`<p>${hostile}</p>`.text).toBe("<p>&lt;/script&gt;&lt;b title=&quot;x&quot;&gt;&#39;&amp;</p>");
    const embedded = jsonForScript({ hostile }).text;
    expect(embedded).not.toContain("<");
    expect(JSON.parse(embedded)).toEqual({ hostile });
  });
});

describe("percentile points", () => {
  test("rise with the percentile and end where fewer than 20 samples lie beyond", () => {
    const cell = report.measurements
      .filter((one) => one.status === "measured")
      .find((one) => one.histogram !== undefined && one.latencyNs !== undefined);
    const points = percentilePoints(cell?.histogram ?? "");
    if (typeof points === "string") throw new Error(points);
    const values = points.map(([, ns]) => ns);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    const count = cell?.latencyNs?.count ?? 0;
    expect(points.at(-1)?.[0]).toBeCloseTo(count / 20, -1);
  });

  test("are replaced by a sentence where the histogram is damaged", () => {
    expect(percentilePoints("bm90IGEgaGlzdG9ncmFt")).toMatch(/^histogram unreadable: /);
  });
});

/** Exports of a module that the page shares with the harness, as its script has them. */
async function shared<Exports>(path: string): Promise<Exports> {
  return new Function(`return ${await loadScript(path)}`)() as Exports;
}

describe("the client", () => {
  test("formats numbers exactly as the terminal does", async () => {
    const server = { bytes, duration, durationRange, quantity, quantityRange, ratio, ratioRange };
    const client = await shared<typeof server>("harness/results/format");
    const positive = fc.double({ min: 1e-3, max: 1e14, noNaN: true });
    const names = ["duration", "bytes", "quantity", "ratio"] as const;
    fc.assert(
      fc.property(positive, positive, (a, b) => {
        for (const name of names) expect(client[name](a)).toBe(server[name](a));
        expect(client.durationRange([a, b], a)).toBe(server.durationRange([a, b], a));
        expect(client.quantityRange([a, b], a)).toBe(server.quantityRange([a, b], a));
        expect(client.ratioRange([a, b])).toBe(server.ratioRange([a, b]));
      }),
    );
    expect(client.duration(null)).toBe(ABSENT);
  });

  test("ranks by the very rule of the terminal and the pick", async () => {
    const client = await shared<{ rankByRounds: typeof rankByRounds }>("harness/results/ranking");
    const cost = fc.integer({ min: 900, max: 1000 });
    const row = fc.record({ costs: fc.array(fc.option(cost, { freq: 8 }), { maxLength: 40 }), typical: cost });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 8 }), (drawn) => {
        const rows = drawn.map(({ costs, typical }, at): Contender => {
          const rounds = new Map(costs.flatMap((one, round) => (one === null ? [] : [[round, one] as const])));
          return { name: `t${at}`, rounds, typical };
        });
        expect(client.rankByRounds(rows)).toEqual(rankByRounds(rows));
      }),
    );
  });

  test("gives no two of 24 rows the same colour and dash, nor two signs of any kind in common", async () => {
    const file = pathToFileURL(join(import.meta.dirname, "client", "signs.js")).href;
    type Signs = { readonly colour: number; readonly point: string; readonly dash: readonly number[] };
    const { signsOf } = (await import(file)) as { signsOf: (index: number) => Signs };
    const signs = Array.from({ length: 24 }, (_, index) => signsOf(index));
    for (const pair of [
      ["colour", "dash"],
      ["colour", "point"],
      ["dash", "point"],
    ] as const)
      expect(new Set(signs.map((one) => pair.map((key) => String(one[key])).join("; "))).size).toBe(24);
  });

  test("shortens a name that has no room in its middle, so that names of one family stay apart", async () => {
    const file = pathToFileURL(join(import.meta.dirname, "client", "fit.js")).href;
    type Fitted = (name: string, room: number, widthOf: (text: string) => number) => string;
    const { fitted } = (await import(file)) as { fitted: Fitted };
    const width = (text: string): number => text.length;
    expect(fitted("python-connection", 17, width)).toBe("python-connection");
    expect(fitted("python-connection", 12, width)).toBe("python…ction");
    expect(fitted("python-connection (python)", 12, width)).toBe("python…thon)");
    expect(fitted("unix", 1, width)).toBe("…");
  });

  test("keeps ticks within the range of their axis, each with room for its text", async () => {
    const file = pathToFileURL(join(import.meta.dirname, "client", "ticks.js")).href;
    const chart = { width: 300, height: 200 };
    const scale = (min: number, max: number) => ({ min, max, chart, isHorizontal: () => true });
    type Roomy = (ticks: readonly number[], of: ReturnType<typeof scale>, isLogarithmic: boolean) => number[];
    const { roomyTicks } = (await import(file)) as { roomyTicks: Roomy };
    expect(roomyTicks([1, 2, 10, 100, 1000], scale(1, 150), true)).toEqual([2, 10, 100]);
    expect(roomyTicks([1, 2, 10, 100, 1000], { ...scale(1, 150), chart: { width: 1000, height: 1 } }, true)).toEqual([
      1, 2, 10, 100,
    ]);
    expect(roomyTicks([1, 2, 3, 4, 5], scale(0, 15), false)).toEqual([1, 5]);
  });

  test("is one script, in which each module keeps its own names", async () => {
    const modules: Readonly<Record<string, string>> = {
      "a/entry": [
        'import { same, other as third } from "../b.ts";',
        'import { } from "./types.ts";',
        "const own = 1;",
        "export function sum() { return own + same + third; }",
      ].join("\n"),
      b: `const own = 10;\nexport const same = own;\nexport const other = 100;`,
    };
    const read = async (path: string): Promise<string> => modules[path] ?? "";
    expect(new Function(`return ${await linked("a/entry", read)}`)().sum()).toBe(111);
    const loop = { x: `import { y } from "./y.ts";`, y: `import { x } from "./x.js";` };
    await expect(linked("x", async (path) => loop[path as "x" | "y"])).rejects.toThrow('"x": it imports itself');
    await expect(linked("x", async () => `import { Chart } from "chart.js";`)).rejects.toThrow(
      'it has "import { Chart }',
    );
  });
});
