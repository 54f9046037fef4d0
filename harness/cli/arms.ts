import { BENCHMARKS } from "../../scenarios/benchmarks/index.ts";
import { DEFAULT_PAYLOADS } from "../../scenarios/profiles/default-workload.ts";
import type { WaitMode } from "../../transports/contract/capabilities.ts";
import { type Arm, type Cell, placeArm, suitsForeignClient } from "../coordinator/arm.ts";
import { absentRow } from "../coordinator/rows.ts";
import { allowedCpus } from "../process/cpus.ts";
import { runsOnNode } from "../process/language.ts";
import { UsageError } from "../results/exit-codes.ts";
import type { Measurement, Placement } from "../results/model.ts";
import { foreignClients, languageObstacle, languagesFor, programFor } from "./peers.ts";
import { unknownName } from "./suggest.ts";
import type { Candidate } from "./transports.ts";

/** Returns both pinned placements where the machine has two CPUs to pin to; otherwise what there is. */
export function defaultPlacements(): readonly Placement[] {
  const cpus = allowedCpus();
  if (cpus === null) return ["unpinned"];
  return cpus.length >= 2 ? ["same-cpu", "two-cpus"] : ["same-cpu"];
}

/**
 * Returns the cells of these benchmarks (`all`: every one; default: the standard two) at these sizes; by default each
 * benchmark takes its own, or those of the default workload.
 *
 * @throws UsageError for an unknown name
 */
export function chooseCells(
  names: readonly string[] | undefined,
  payloads: readonly number[] | undefined,
): readonly Cell[] {
  const valid = ["all", ...BENCHMARKS.map(({ name }) => name)];
  const unknown = names?.find((name) => !valid.includes(name));
  if (unknown !== undefined) throw new UsageError(unknownName("benchmark", unknown, valid));
  // The cells of a benchmark of kinds of values come from `codecCells`.
  const chosen = BENCHMARKS.filter(({ variants }) => variants[0].corpus === undefined).filter(({ name, standard }) =>
    names === undefined ? standard : names.includes("all") || names.includes(name),
  );
  return chosen.flatMap((benchmark) =>
    [...new Set(payloads ?? benchmark.payloads ?? DEFAULT_PAYLOADS)].flatMap((payloadBytes) =>
      benchmark.variants.map((variant) => ({ benchmark, variant, payloadBytes })),
    ),
  );
}

export interface ChosenArms {
  readonly arms: readonly Arm[];
  /** Rows for what cannot be measured: a missing row would look like an oversight. */
  readonly missing: readonly Measurement[];
}

/** Choice of what is measured, besides the transports themselves. */
export interface Choice {
  readonly placements: readonly Placement[];
  readonly modes: readonly WaitMode[] | undefined;
  readonly peers: readonly string[] | undefined;
  /** Languages of clients; those besides Node are added to it. */
  readonly clients?: readonly string[] | undefined;
  readonly cells: readonly Cell[];
  /** `true` for a short overview: only the waiting class that each transport prefers, unless `modes` has others. */
  readonly overview?: boolean;
}

/** Returns every available transport in each mode (or those chosen), with each server language and placement. */
export function chooseArms(candidates: readonly Candidate[], choice: Choice): ChosenArms {
  const { placements, peers, cells, overview } = choice;
  const arms: Arm[] = [];
  const missing: Measurement[] = [];
  for (const candidate of candidates) {
    const { transport, reference, record } = candidate;
    if (!record.available) continue;
    for (const mode of modesFor(candidate, choice)) {
      for (const peerLanguage of languagesFor(transport, peers, overview)) {
        const peerProgram = programFor(transport, peerLanguage);
        for (const placement of placements) {
          const base = { transport, reference, version: record.version, mode, placement, peerLanguage, peerProgram };
          const obstacle = languageObstacle(transport, peerLanguage);
          const reason = obstacle?.reason ?? measuredElsewhere(base, choice);
          const placed = reason === undefined ? placeArm(base) : { reason };
          if ("arm" in placed) arms.push(placed.arm);
          else missing.push(...cells.map((cell) => absentRow(base, cell, placed.reason, obstacle?.status)));
        }
      }
    }
  }
  const pairs = { ...choice, cells: cells.filter(suitsForeignClient) };
  const languages = choice.clients?.filter((language) => language !== "node") ?? [];
  if (languages.length > 0 && pairs.cells.length === 0) {
    const [{ benchmark }] = cells as readonly [Cell];
    throw new UsageError(
      `--client ${languages.join(" ")} measures round trips and throughput of bytes, not ${benchmark.name}; ` +
        "leave out --client or the flags that ask for more",
    );
  }
  for (const candidate of candidates) addPairs(candidate, pairs, { arms, missing });
  return { arms, missing };
}

/**
 * Adds the pairs of languages whose client is not on Node, under one placement unless others were asked for. The mode
 * is that of the end on Node; without one, both ends block.
 */
function addPairs(candidate: Candidate, choice: Choice, found: { arms: Arm[]; missing: Measurement[] }): void {
  const { transport, reference, record } = candidate;
  if (!record.available) return;
  const { placements, peers, cells, overview } = choice;
  const shown = overview && placements.includes("two-cpus") ? (["two-cpus"] as const) : placements;
  const [preferred] = modesFor(candidate, choice);
  if (preferred === undefined) return;
  for (const clientLanguage of foreignClients(transport, choice.clients)) {
    const clientProgram = programFor(transport, clientLanguage, "clients");
    const without = languageObstacle(transport, clientLanguage, "clients");
    // Without a client, one row states the reason.
    for (const peerLanguage of without === undefined ? languagesFor(transport, peers) : ["node"]) {
      const mode = peerLanguage === "node" ? preferred : "blocking";
      const peerProgram = programFor(transport, peerLanguage);
      for (const placement of shown) {
        const ends = { peerLanguage, peerProgram, clientLanguage, clientProgram };
        const base = { transport, reference, version: record.version, mode, placement, ...ends };
        const obstacle = without ?? languageObstacle(transport, peerLanguage);
        const placed = obstacle ?? placeArm(base);
        if ("arm" in placed) found.arms.push(placed.arm);
        else found.missing.push(...cells.map((cell) => absentRow(base, cell, placed.reason, obstacle?.status)));
      }
    }
  }
}

/** Returns why a short overview leaves out an arm: another one shows the same, or it shows nothing for the question. */
function measuredElsewhere(
  { transport, placement, peerLanguage }: Pick<Arm, "transport" | "placement" | "peerLanguage">,
  { overview, placements, peers }: Choice,
): string | undefined {
  if (overview !== true || placement !== "same-cpu" || !placements.includes("two-cpus")) return undefined;
  if (transport.capabilities.rendezvous === "process") {
    return "both ends share one process, so this is the same as under two CPUs: see there";
  }
  if (!runsOnNode(peerLanguage) && peers === undefined) {
    return `its server in ${peerLanguage} is measured on two CPUs only, unless --peer asks for it`;
  }
  return undefined;
}

function modesFor({ transport }: Candidate, { modes, overview }: Choice): readonly WaitMode[] {
  const all = transport.capabilities.modes;
  if (modes !== undefined) return all.filter((mode) => modes.includes(mode));
  return overview === true ? [all[0]] : all;
}
