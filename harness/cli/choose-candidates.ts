import type { Requirement } from "../../scenarios/need.ts";
import { type Exclusion, qualify, refute, type Subject, tightest } from "../../scenarios/qualify.ts";
import { REGISTRY, type Registration } from "../../transports/registry.ts";
import { note } from "../process/note.ts";
import { evidenceOf } from "../results/evidence.ts";
import { IncompleteError, NobodyQualifies } from "../results/exit-codes.ts";
import type { CandidateStanding, CheckResult, TransportRecord } from "../results/model.ts";
import { languageReason } from "./peers.ts";
import { type Candidate, type Chosen, fromRegistry, resolveForTimes } from "./transports.ts";

/** Number of candidates up to which the shortlist is filled up; fewer only where fewer qualify or can run. */
const ENOUGH = 6;
const MOST_LISTED = 8;

/** Transports that a question is about, and each one considered, with the reason why it is in or out. */
export interface Selection extends Chosen {
  readonly standings: readonly CandidateStanding[];
}

/**
 * Chooses what is measured, by records alone: what the user names, or the shortlist, as far as it meets the needs.
 * Where fewer than six of the shortlist do, the next of the registry follow, one of each family first. No need
 * concerns a baseline, which is no candidate.
 *
 * @param peer language of the server
 * @throws NobodyQualifies; IncompleteError when what qualifies cannot run on this machine
 */
export async function chooseCandidates(
  names: readonly string[] | undefined,
  requirements: readonly Requirement[],
  peer: string,
): Promise<Selection> {
  if (names === undefined && requirements.length > 0) return fromWholeRegistry(requirements, peer);
  const { candidates: found, refused } = await resolveForTimes(names);
  const { excluded } = divide(
    found.map(({ record }) => record),
    requirements,
  );
  const candidates = found.filter(({ record }) => !excluded.some(({ id }) => id === record.id));
  return {
    candidates,
    refused,
    standings: [...candidates.flatMap((each) => standing(each, peer)), ...excluded.map(out)],
  };
}

const isBaseline = ({ capabilities }: Subject): boolean => capabilities.rendezvous === "process";

/** @throws NobodyQualifies */
function divide<Each extends Subject>(
  all: readonly Each[],
  requirements: readonly Requirement[],
): { readonly candidates: readonly Each[]; readonly excluded: readonly Exclusion[] } {
  const considered = all.filter((each) => !isBaseline(each));
  const divided = qualify(considered, requirements);
  if (divided.candidates.length === 0 && considered.length > 0) throw nobody(considered, requirements);
  return divided;
}

interface Described extends Subject {
  readonly entry: Registration;
  readonly sameAs?: string | undefined;
}

async function fromWholeRegistry(requirements: readonly Requirement[], peer: string): Promise<Selection> {
  const all = await Promise.all(
    REGISTRY.map(async (entry): Promise<Described> => {
      const { capabilities, sameAs } = await entry.load();
      return { id: entry.id, capabilities, sameAs, entry };
    }),
  );
  const { candidates: qualified, excluded } = divide(all, requirements);
  const originals = qualified.map(({ sameAs }) => sameAs);
  const isFirst = ({ entry, capabilities }: Described): boolean =>
    entry.shortlist || requirements.some(({ need }) => need.madeFor?.(capabilities) === true);
  const order = inOrder(
    qualified.filter(({ id }) => !originals.includes(id)),
    isFirst,
  );
  const chosen: Candidate[] = [];
  for (const each of order) {
    const isEnough = chosen.filter((candidate) => obstacle(candidate, peer) === undefined).length >= ENOUGH;
    if (isEnough && !isFirst(each)) break;
    chosen.push(...(await fromRegistry([each.entry], false)));
  }
  const standings = chosen.flatMap((each) => standing(each, peer));
  if (standings.every(({ status }) => status === "unavailable")) throw noneRuns(standings);
  noteAdded(standings);
  const baselines = all.filter((each) => isBaseline(each) && each.entry.shortlist).map(({ entry }) => entry);
  const rest = order.slice(chosen.length).map(({ id, capabilities: { platforms } }): CandidateStanding => {
    if (!platforms.some((platform) => platform === process.platform))
      return { transport: id, status: "unavailable", reason: `it exists on ${platforms.join(", ")} only` };
    const reason = `it meets the needs, but ${chosen.length} others come first; name it with --transport`;
    return { transport: id, status: "not-measured", reason };
  });
  return {
    candidates: [...(await fromRegistry(baselines, false)), ...chosen],
    refused: [],
    standings: [...standings, ...rest, ...excluded.map(out)],
  };
}

/** Sorts: the first choice, one of each family that it lacks, then the others; each group as in the registry. */
function inOrder(qualified: readonly Described[], isFirst: (each: Described) => boolean): readonly Described[] {
  const families = new Set<string>();
  const rank = new Map<Described, number>();
  for (const each of qualified.toSorted((a, b) => Number(isFirst(b)) - Number(isFirst(a)))) {
    rank.set(each, isFirst(each) ? 0 : families.has(each.entry.family) ? 2 : 1);
    families.add(each.entry.family);
  }
  return qualified.toSorted((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0));
}

/** Returns why nothing of it can run here with a server in this language; undefined when something can. */
function obstacle({ record, transport }: Candidate, peer: string): string | undefined {
  return record.available ? languageReason(transport, peer) : record.reason;
}

/** Returns the standing of a candidate; none for a baseline. */
function standing(candidate: Candidate, peer: string): CandidateStanding[] {
  const { record, named, shortlist } = candidate;
  if (record.baseline) return [];
  const reason = obstacle(candidate, peer);
  const transport = record.id;
  if (reason !== undefined) return [{ transport, status: "unavailable", reason }];
  const why = named ? "named" : shortlist ? "shortlist" : "nearest";
  return [{ transport, status: "in", why, shown: [], open: [] }];
}

const out = ({ id, need, reason }: Exclusion): CandidateStanding => ({
  transport: id,
  status: "excluded",
  need,
  reason,
});

function noteAdded(standings: readonly CandidateStanding[]): void {
  const added = standings.filter((each) => each.status === "in" && each.why === "nearest");
  if (added.length === 0) return;
  const names = added.map(({ transport }) => transport).join(", ");
  note(`measured for these needs besides the shortlist: ${names}`);
}

function nobody(records: readonly Subject[], requirements: readonly Requirement[]): NobodyQualifies {
  const found = tightest(records, requirements);
  const { need, excludes, without } = found ?? { need: "", excludes: 0, without: [] };
  const shown = without.slice(0, MOST_LISTED).map(({ id }) => id);
  const more = without.length > MOST_LISTED ? ` and ${without.length - MOST_LISTED} more` : "";
  const left = without.length === 0 ? "no transport meets the other needs either" : `${shown.join(", ")}${more} remain`;
  const [only] = records;
  if (only !== undefined && records.length === 1) {
    const [{ need, reason }] = qualify(records, requirements).excluded as readonly [Exclusion];
    return new NobodyQualifies(`${only.id} does not meet the need ${need}: it ${reason}`);
  }
  return new NobodyQualifies(
    `none of the ${records.length} transports considered meets all needs: ${need} excludes most (${excludes}); ` +
      `without it ${left}`,
  );
}

function noneRuns(standings: readonly CandidateStanding[]): IncompleteError {
  const [first] = standings.flatMap((each) => (each.status === "unavailable" ? [each] : []));
  const others = standings.length > 1 ? ` (${standings.length} meet them)` : "";
  return new IncompleteError(
    `no transport that meets the needs can run on this machine${others}: ${first?.transport}: ${first?.reason}`,
  );
}

/** Returns the standings after the checks: what they refute is out, and each need is shown or open. */
export function afterChecks(
  standings: readonly CandidateStanding[],
  requirements: readonly Requirement[],
  records: readonly TransportRecord[],
  checks: readonly CheckResult[],
): readonly CandidateStanding[] {
  const isIn = ({ id }: TransportRecord): boolean =>
    standings.some(({ transport, status }) => transport === id && status === "in");
  const evidence = evidenceOf({ checks, transports: records });
  const { candidates, excluded } = refute(records.filter(isIn), requirements, evidence);
  return standings.map((each) => {
    const refuted = excluded.find(({ id }) => id === each.transport);
    if (refuted !== undefined) return out(refuted);
    const found = candidates.find(({ record }) => record.id === each.transport);
    return each.status === "in" && found !== undefined ? { ...each, shown: found.shown, open: found.open } : each;
  });
}
