/**
 * Measures the cost of the contract and the harness on top of each library:
 * `npm run bench:overhead -- [--id <id…>] [--payload <bytes…>] [--rounds <n>] [--json]`.
 *
 * - Every id with an arm in `by-hand/`: p50 of the whole contract path (correlation, verification, the driver's own
 *   ping-pong) as a ratio to an echo over the library alone, with the same header and checks. Wanted: at most 1.10.
 * - `loopback`, 64 B: p50 in µs, the floor under every number. Wanted: at most 0.8 µs.
 *
 * Everything runs on one CPU, except a peer whose client polls, which has a second one. A round starts both clients and
 * both servers afresh; then the clients take turns in short windows, ABBA, so that a pair of windows meets the same
 * machine. The figure is the median over rounds of the round's median ratio.
 * Exit code 1 when a wanted figure was missed.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "../results/quantiles.ts";
import { ARMS } from "./by-hand/arms.ts";
import { type EchoProcess, startClient, startServer } from "./by-hand/processes.ts";
import { benchOptions, countOf, refuse } from "./options.ts";

const MOST_RATIO = 1.1;
const MOST_LOOPBACK_NS = 800;
const PAIRS = 12;
const KNOWN = ["loopback", ...Object.keys(ARMS)];
const SIDES = ["ours", "theirs"] as const;
type Side = (typeof SIDES)[number];

const values = benchOptions({
  id: { type: "string", multiple: true, default: KNOWN },
  payload: { type: "string", multiple: true, default: ["64", "65536"] },
  rounds: { type: "string", default: "5" },
  json: { type: "boolean", default: false },
});

/**
 * Returns the number of round trips of the warm-up and of each window. Large messages get fewer, since each copies
 * much.
 */
function countsOf(payloadBytes: number): { readonly warmUp: number; readonly window: number } {
  return payloadBytes <= 4096 ? { warmUp: 6000, window: 400 } : { warmUp: 1500, window: 120 };
}

/** p50 of two neighbouring windows, ns. */
type Pair = Readonly<Record<Side, number>>;

async function oneRound(id: string, payloadBytes: number): Promise<Pair[]> {
  const { warmUp, window } = countsOf(payloadBytes);
  const needsServer = (await ARMS[id]?.())?.serve !== undefined;
  const directory = await mkdtemp(join(tmpdir(), "ipcmark-"));
  for (const side of SIDES) await mkdir(join(directory, side), { mode: 0o700 });
  const started: EchoProcess[] = [];
  try {
    const clients: Partial<Record<Side, EchoProcess>> = {};
    for (const side of SIDES) {
      const server = needsServer ? await startServer(side, id, directory) : undefined;
      if (server !== undefined) started.push(server);
      const client = startClient(side, id, server?.where ?? "", payloadBytes);
      started.push(client);
      clients[side] = client;
      await client.window(warmUp);
    }
    const pairs: Pair[] = [];
    for (let at = 0; at < PAIRS; at++) {
      const p50: Record<Side, number> = { ours: 0, theirs: 0 };
      for (const side of at % 2 === 0 ? SIDES : SIDES.toReversed()) {
        p50[side] = (await clients[side]?.window(window)) ?? Number.NaN;
      }
      pairs.push(p50);
    }
    return pairs;
  } finally {
    for (const each of started) each.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Row {
  readonly id: string;
  readonly payloadBytes: number;
  readonly oursNs: number;
  readonly theirsNs: number | null;
  readonly ratio: number | null;
  /** Ratio of each round. */
  readonly ratios: readonly number[];
  readonly holds: boolean;
}

async function compareToHand(id: string, payloadBytes: number, rounds: number): Promise<Row> {
  const all: Pair[][] = [];
  for (let round = 0; round < rounds; round++) all.push(await oneRound(id, payloadBytes));
  const ratios = all.map((pairs) => median(pairs.map(({ ours, theirs }) => ours / theirs)));
  const pairs = all.flat();
  return {
    id,
    payloadBytes,
    oursNs: median(pairs.map(({ ours }) => ours)),
    theirsNs: median(pairs.map(({ theirs }) => theirs)),
    ratio: median(ratios),
    ratios,
    holds: median(ratios) <= MOST_RATIO,
  };
}

/** Measures `loopback`, the remainder without a mechanism. There is nothing to compare it to. */
async function floor(rounds: number): Promise<Row> {
  const p50s: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const client = startClient("ours", "loopback", "", 64);
    try {
      // About as long as a measured cell takes to compile its code.
      await client.window(60_000);
      for (let at = 0; at < PAIRS; at++) p50s.push(await client.window(4000));
    } finally {
      client.stop();
    }
  }
  const oursNs = median(p50s);
  const holds = oursNs <= MOST_LOOPBACK_NS;
  return { id: "loopback", payloadBytes: 64, oursNs, theirsNs: null, ratio: null, ratios: [], holds };
}

function lineOf({ id, payloadBytes, oursNs, theirsNs, ratio, ratios, holds }: Row): string {
  const micros = (ns: number): string => `${(ns / 1000).toFixed(2).padStart(8)} µs`;
  const head = `${id.padEnd(21)} ${String(payloadBytes).padStart(6)} B  ours ${micros(oursNs)}`;
  const verdict = holds ? "holds" : "MISSED";
  if (theirsNs === null || ratio === null) return `${head}  wanted <= ${micros(MOST_LOOPBACK_NS).trim()}: ${verdict}`;
  const spread = ratios.map((each) => each.toFixed(2)).join(" ");
  return `${head}  by hand ${micros(theirsNs)}  ratio ${ratio.toFixed(3)} [${spread}]: ${verdict}`;
}

const rows: Row[] = [];
const rounds = countOf("rounds", values.rounds);
for (const id of values.id) if (!KNOWN.includes(id)) refuse(`no benchmark of ${id}; valid: ${KNOWN.join(", ")}`);
for (const id of values.id) {
  const payloads = id === "loopback" ? [64] : values.payload.map((text) => countOf("payload", text));
  for (const payloadBytes of payloads) {
    const row = id === "loopback" ? await floor(rounds) : await compareToHand(id, payloadBytes, rounds);
    rows.push(row);
    if (!values.json) process.stdout.write(`${lineOf(row)}\n`);
  }
}
if (values.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
process.exitCode = rows.every(({ holds }) => holds) ? 0 : 1;
