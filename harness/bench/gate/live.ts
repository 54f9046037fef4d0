/** Real gates: of the same code on both sides, or with a change put into the head of one cell. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nameOf } from "../../../ci/gate/cells.ts";
import type { GateResult, GateRow } from "../../../ci/gate/result.ts";
import { EXIT } from "../../results/exit-codes.ts";
import { count as counted } from "../../results/format.ts";
import { median } from "../../results/quantiles.ts";
import { besideBusyLoops } from "../busy-loops.ts";
import { CHANGED_IDS, type Delays } from "../fixtures/changed.ts";
import type { StoredRun } from "./simulate.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const MAIN = join(ROOT, "harness/cli/main.ts");
const FIXTURE = new URL("../fixtures/changed.ts", import.meta.url).href;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** Size of the messages that are changed, bytes; those of the other cell are not. */
const BYTES = 64;
const OTHER_BYTES = 4096;

/** Change of the head by name: the delay as a share of p50, the messages that have it, and the metric that finds it. */
export const EFFECTS = {
  "+10 %": { share: 0.1, every: 1, metric: "p50" },
  "+20 %": { share: 0.2, every: 1, metric: "p50" },
  "2 % of messages ten times the median": { share: 9, every: 50, metric: "p99" },
} as const;
export type Effect = keyof typeof EFFECTS;

/** A real gate that has ended. */
export interface LiveGate {
  readonly date: string;
  /** Absent in those of the first version, which were quiet. */
  readonly condition?: StoredRun["condition"];
  readonly exitCode: number;
  readonly durationMs: number;
  readonly effect?: Effect;
  /** Id of the changed mechanism. */
  readonly changed?: string;
  /** True where the changed cell is red for the metric of the effect. */
  readonly found?: boolean;
  /** Measured change of p50 in the changed cell, such as 0.1. */
  readonly change?: number;
}

export interface RealGate {
  readonly result: GateResult | undefined;
  readonly exitCode: number;
}

/** Real gates one after another, until a signal stops them. */
export class RealGates {
  /** True when a signal has ended what ran: what is there is kept, and nothing more starts. */
  isStopped = false;
  readonly #isBusy: boolean;

  /** @param isBusy true: beside a busy loop on each CPU */
  constructor(isBusy: boolean) {
    this.#isBusy = isBusy;
  }

  /** Runs a gate of the head in `cwd` against `base`; default: this directory against itself. */
  async run(args: readonly string[], base = ROOT, cwd = process.cwd()): Promise<RealGate> {
    const out = mkdtempSync(join(tmpdir(), "ipcmark-bench-gate-"));
    const gate = (): Promise<number> => this.#ended([MAIN, "gate", "--base-dir", base, "--out", out, ...args], cwd);
    try {
      const exitCode = await (this.#isBusy ? besideBusyLoops(gate) : gate());
      const file = join(out, "gate.json");
      const result = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as GateResult) : undefined;
      return { result, exitCode };
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  }

  /**
   * Runs a gate of the default list whose head has this change in one cell, and before it a short one of that cell,
   * from which the length of the delay follows.
   */
  async runChanged(effect: Effect, changed: (typeof CHANGED_IDS)[number]): Promise<LiveGate | undefined> {
    const { share, every, metric } = EFFECTS[effect];
    const place = mkdtempSync(join(tmpdir(), "ipcmark-bench-gate-"));
    const [base, head] = [join(place, "base"), join(place, "head")];
    const write = (directory: string, delays: Delays): void => {
      for (const id of CHANGED_IDS) writeModule(directory, id, id === changed ? delays : [], every);
    };
    const isMeant = ({ cell }: GateRow): boolean =>
      nameOf(cell).startsWith(`bench/${changed} `) && nameOf(cell).includes(`${BYTES} B`);
    try {
      for (const directory of [base, head]) write(directory, []);
      const short = ["--pairs", "8", "--budget", "1s", "--payload", String(BYTES)];
      const unchanged = await this.run(["--transport", `./${changed}.mjs`, ...short], base, head);
      const p50 = unchanged.result?.rows.find((row) => isMeant(row) && row.metric === "p50")?.base;
      if (p50 === undefined || this.isStopped) return undefined;
      write(head, [
        [0, share * p50],
        [OTHER_BYTES, 0],
      ]);
      const { result, exitCode } = await this.run(
        ["--transport", ...CHANGED_IDS.map((id) => `./${id}.mjs`)],
        base,
        head,
      );
      if (result === undefined) return undefined;
      const meant = result.rows.filter(isMeant);
      const ratio = meant.find((row) => row.metric === "p50")?.evidence?.effect.ratio;
      const found = meant.some((row) => row.metric === metric && row.outcome === "regression");
      const about = { date: result.startedAt, exitCode, durationMs: result.durationMs, effect, changed, found };
      return { ...about, ...(ratio === undefined ? {} : { change: ratio - 1 }) };
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  }

  /** Runs a program in a session of its own, which Ctrl-C does not reach. @returns its exit code */
  async #ended(command: readonly string[], cwd: string): Promise<number> {
    const child = spawn(process.execPath, command, { stdio: ["ignore", "ignore", "inherit"], detached: true, cwd });
    // Once: a second signal would end the gate before it has written its pairs.
    const stop = (): void => {
      if (!this.isStopped) child.kill("SIGINT");
      this.isStopped = true;
    };
    for (const signal of SIGNALS) process.on(signal, stop);
    try {
      return await new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? EXIT.crash)));
    } finally {
      // The resampling never yields, so a signal must end it by itself.
      for (const signal of SIGNALS) process.off(signal, stop);
    }
  }
}

/** Writes a module with one mechanism, whose server is slower where there are delays: both sides run the same code. */
function writeModule(directory: string, id: (typeof CHANGED_IDS)[number], delays: Delays, every: number): void {
  const args = [id, `bench/${id}`, delays, every].map((each) => JSON.stringify(each)).join(", ");
  const text = `import { delayed } from ${JSON.stringify(FIXTURE)};\nexport default delayed(${args});\n`;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${id}.mjs`), text);
}

/** Writes a sentence for each kind of live gates, or how to run some. */
export function liveSentences(all: readonly LiveGate[]): string {
  const kinds = Map.groupBy(all, ({ condition = "quiet", effect }) => JSON.stringify([condition, effect]));
  const sentences = [...kinds.values()].map((gates) => {
    const [{ condition = "quiet", effect }] = gates as [LiveGate];
    const what = effect === undefined ? "without a change" : `with ${effect} put into one cell`;
    const where = condition === "quiet" ? "" : ", with a busy loop on each CPU";
    const of = (code: number): number => gates.filter(({ exitCode }) => exitCode === code).length;
    const codes = `${of(EXIT.ok)} pass, ${of(EXIT.regression)} red, ${of(EXIT.inconclusive)} cannot decide`;
    const seconds = Math.round(median(gates.map(({ durationMs }) => durationMs)) / 1000);
    const list = `${counted(gates.length, "gate")} of the default list ${what}${where}`;
    return `${list}:\n${codes}, ${of(EXIT.incomplete)} incomplete, median time ${seconds} s.${foundIn(gates)}`;
  });
  return sentences.length === 0 ? "None yet: `npm run bench:gate -- --live 10`." : sentences.join("\n\n");
}

function foundIn(gates: readonly LiveGate[]): string {
  const [first] = gates;
  if (first?.effect === undefined) return "";
  const changes = gates.flatMap(({ change }) => (change === undefined ? [] : [change]));
  const measured = changes.length === 0 ? "" : `; p50 there changed by ${(median(changes) * 100).toFixed(1)} %`;
  const ids = [...new Set(gates.map(({ changed }) => changed))].toSorted().join(", ");
  return `\nFound in ${gates.filter(({ found }) => found).length} (${ids})${measured}.`;
}
