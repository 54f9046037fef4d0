import { BENCHMARKS } from "../../scenarios/benchmarks/index.ts";
import type { Check } from "../../scenarios/check.ts";
import { type Claim, cellsOfClaim, checksOfClaim } from "../../scenarios/claim.ts";
import type { CellName } from "../../scenarios/evidence.ts";
import { REGISTRY } from "../../transports/registry.ts";
import { type Arm, type Cell, cellKey } from "../coordinator/arm.ts";
import type { CheckTarget } from "../coordinator/check-plan.ts";
import { CHECKS } from "../driver/checks/catalog.ts";
import type { CheckResult, Measurement, Placement } from "../results/model.ts";
import { encodedBytes } from "../rpc/codecs/values.ts";
import { chooseArms } from "./arms.ts";
import { absentRow, checkTargets } from "./check.ts";
import { languageReason } from "./peers.ts";
import { type Candidate, fromRegistry } from "./transports.ts";

/** Union of what claims need, each measurement and check once. */
export interface ClaimPlan {
  readonly candidates: readonly Candidate[];
  readonly arms: readonly Arm[];
  readonly cells: readonly Cell[];
  /** Rows of what cannot be measured here. */
  readonly missing: readonly Measurement[];
  readonly targets: readonly CheckTarget[];
  readonly checks: readonly Check[];
  /** Results of checks that cannot run here. */
  readonly unchecked: readonly CheckResult[];
}

/** Plans what a run needs to judge these claims. @param placement usual one of this machine */
export async function planClaims(claims: readonly Claim[], placement: Placement): Promise<ClaimPlan> {
  const names = claims.flatMap(cellsOfClaim);
  const wanted = claims.flatMap(checksOfClaim);
  const ids = new Set([...names, ...wanted].map(({ transport }) => transport));
  const candidates = await fromRegistry(
    REGISTRY.filter(({ id }) => ids.has(id)),
    false,
  );
  const cells = new Map<string, Cell>();
  const measured: { arms: Arm[]; missing: Measurement[] } = { arms: [], missing: [] };
  for (const candidate of candidates) {
    const own = names.filter(({ transport }) => transport === candidate.record.id);
    for (const group of Map.groupBy(own, (name) => armKey(name, placement)).values()) {
      const { arms, missing } = await armsOf(candidate, group, placement, cells);
      measured.arms.push(...arms);
      measured.missing.push(...missing);
    }
  }
  const checked = candidates.map((candidate) => checksFor(candidate, wanted));
  return {
    candidates,
    ...measured,
    cells: [...cells.values()],
    targets: checked.flatMap(({ targets }) => targets),
    checks: CHECKS.filter(({ id }) => wanted.some(({ check }) => check === id)),
    unchecked: checked.flatMap(({ unchecked }) => unchecked),
  };
}

/** Cells with the same key run in the same processes. */
function armKey({ mode, peer, codec, placement }: CellName, usual: Placement): string {
  return JSON.stringify([mode, peer, codec ?? null, placement ?? usual]);
}

/** @param known cells of the whole run by their key; new ones are added */
async function armsOf(
  candidate: Candidate,
  names: readonly CellName[],
  usual: Placement,
  known: Map<string, Cell>,
): Promise<{ readonly arms: readonly Arm[]; readonly missing: readonly Measurement[] }> {
  const only = new Set<Cell>();
  for (const name of names) {
    const cell = await cellOf(name);
    const key = cellKey(cell);
    if (!known.has(key)) known.set(key, cell);
    only.add(known.get(key) as Cell);
  }
  const [{ mode, peer, codec, placement = usual }] = names as readonly [CellName];
  const cells = [...only];
  const { arms, missing } = chooseArms([candidate], { placements: [placement], modes: [mode], peers: [peer], cells });
  return { arms: arms.map((arm) => ({ ...arm, only: cells, ...(codec === undefined ? {} : { codec }) })), missing };
}

async function cellOf({ benchmark: name, payloadBytes, corpus, codec }: CellName): Promise<Cell> {
  const benchmark = BENCHMARKS.find((each) => each.name === name);
  if (benchmark === undefined) throw new Error(`a claim names the benchmark ${name}, which does not exist`);
  if (corpus === undefined || codec === undefined) return { benchmark, variant: {}, payloadBytes };
  return { benchmark, variant: { corpus, codec }, payloadBytes: await encodedBytes(codec, corpus) };
}

/** Returns the checks of one transport, for each language of a server that claims name. */
function checksFor(
  candidate: Candidate,
  claimed: readonly { readonly transport: string; readonly peer: string; readonly check: string }[],
): { readonly targets: readonly CheckTarget[]; readonly unchecked: readonly CheckResult[] } {
  const { transport, record } = candidate;
  const own = claimed.filter((each) => each.transport === record.id);
  const targets: CheckTarget[] = [];
  const unchecked: CheckResult[] = [];
  for (const [peer, group] of Map.groupBy(own, (each) => each.peer)) {
    const wanted = new Set(group.map(({ check }) => check));
    const spared = new Set(CHECKS.map(({ id }) => id).filter((id) => !wanted.has(id)));
    const reason = record.available ? languageReason(transport, peer) : record.reason;
    if (reason === undefined)
      targets.push(...checkTargets([candidate], [peer]).map((target) => ({ ...target, spared })));
    else
      for (const check of CHECKS.filter(({ id }) => wanted.has(id)))
        unchecked.push(absentRow(check, record.id, peer, "unavailable", reason));
  }
  return { targets, unchecked };
}
