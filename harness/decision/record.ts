import { reasonOf, StoreError } from "../results/store.ts";
import { readTextFile } from "../results/text-file.ts";
import type { EvidenceFile } from "./evidence.ts";

/** Parts of a decision record that a recheck needs. People may edit everything else in it. */
export interface DecisionRecord {
  readonly path: string;
  readonly text: string;
  /** Name of the chosen option, as it is written in the record. */
  readonly chosen: string;
  /** Number of the line that names it. */
  readonly chosenLine: number;
  readonly evidence: Omit<EvidenceFile, "text">;
  /** Index of the line with the link to the evidence. */
  readonly evidenceIndex: number;
}

/** Reads a record from a file. @throws StoreError, which names the line that cannot be parsed */
export function loadRecord(path: string): DecisionRecord {
  let text: string;
  try {
    text = readTextFile(path);
  } catch (error) {
    throw new StoreError(`cannot read "${path}": ${reasonOf(error)}; name a record that report --adr has written`);
  }
  return parseRecord(text, path);
}

const CHOSEN = /^[\s*_>|+-]*chosen option[\s*_]*:[\s*_]*(.*)$/is;
/** A name in quotation marks, and one without any: in bold, as the text of a link, or in front of a full stop. */
const NAME = /^\[?["“”'`]+([^"“”'`]+)["“”'`]+|^\[?([^\s,;*_\]"“”'`]+?)[.:]?(?=[\s,;*_\]]|$)/;
const LINK = /\]\(\s*(?=\S)<?([^<>()]*evidence\.json)>?[^()]*\)/;
const HASH = /SHA-?256\W*(\w*)/i;
const HASH_DIGITS = 64;

/**
 * Finds the chosen option and the evidence. Headings, order, prose, bullets and line breaks elsewhere may be changed.
 *
 * @throws StoreError, which names the line that cannot be parsed
 */
export function parseRecord(text: string, path: string): DecisionRecord {
  const lines = text.split("\n");
  const refuse = (index: number, what: string): StoreError => new StoreError(`${path}:${index + 1}: ${what}`);
  const lack = (what: string): StoreError =>
    new StoreError(`${path}: none of its ${lines.length} lines has ${what}; add it in the form of report --adr`);
  const [decision, other] = decisionsIn(lines);
  if (decision === undefined) throw lack('the decision (Chosen option: "<transport>", because …)');
  const { index: chosenIndex, chosen } = decision;
  if (!chosen) throw refuse(chosenIndex, 'no option after "Chosen option:"; name one in quotation marks');
  if (other !== undefined)
    throw refuse(other.index, `"${other.chosen}" is chosen here, and "${chosen}" in line ${chosenIndex + 1}; keep one`);
  const evidenceIndex = lines.findIndex((line) => LINK.test(line));
  if (evidenceIndex < 0) throw lack("a link to its evidence ([…](….evidence.json), SHA-256 `…`)");
  const link = LINK.exec(lines[evidenceIndex] ?? "")?.[1] ?? "";
  const name = decoded(link.trim());
  if (name === undefined) throw refuse(evidenceIndex, `the link "${link}" cannot be decoded; write a relative path`);
  // An editor may have wrapped the line.
  const at = lines.slice(evidenceIndex, evidenceIndex + 3).findIndex((line) => HASH.test(line));
  if (at < 0) throw refuse(evidenceIndex, "no SHA-256 after the link to the evidence; add SHA-256 `<64 digits>`");
  const digits = /SHA-?256\W*(\w*)/i.exec(lines.slice(evidenceIndex + at, evidenceIndex + 4).join("\n"))?.[1] ?? "";
  const wrong = `the SHA-256 "${digits.slice(0, 12)}…" has ${digits.length} characters and must have ${HASH_DIGITS} `;
  if (!/^[0-9a-f]{64}$/i.test(digits)) throw refuse(evidenceIndex + at, `${wrong}hexadecimal digits`);
  const evidence = { name, sha256: digits.toLowerCase() };
  return { path, text, chosen, chosenLine: chosenIndex + 1, evidence, evidenceIndex };
}

interface Decision {
  readonly index: number;
  /** Absent where the line names nothing. */
  readonly chosen: string | undefined;
}

/** Returns the first decision, and the first other one that names another option. */
function decisionsIn(lines: readonly string[]): Decision[] {
  const all = lines.flatMap((line, index): Decision[] => {
    const words = CHOSEN.exec(line)?.[1]?.trim();
    if (words === undefined) return [];
    // An editor may have wrapped the line behind the colon.
    const named = words === "" ? (lines[index + 1] ?? "").replace(/^[\s*_>|]+/, "") : words;
    const [, quoted, bare] = NAME.exec(named) ?? [];
    return [{ index, chosen: (quoted ?? bare)?.trim() }];
  });
  const [first] = all;
  const other = all.find(({ chosen }) => chosen !== undefined && chosen !== first?.chosen);
  return [first, other].filter((each) => each !== undefined);
}

function decoded(link: string): string | undefined {
  try {
    return decodeURI(link);
  } catch {
    return undefined;
  }
}

/** New evidence for a record, and what changes in its text. */
export interface Renewal {
  readonly file: EvidenceFile;
  readonly fingerprints: { readonly before: string; readonly now: string };
  readonly machines: { readonly before: string; readonly now: string };
  /** Sentence about the conditions that were accepted, without a full stop. */
  readonly sentence: string;
}

/** Returns the text of a record with new evidence. Only name, hash, fingerprint and machine of the evidence change. */
export function renewedText({ text, evidence, evidenceIndex }: DecisionRecord, renewal: Renewal): string {
  const { file, fingerprints, machines, sentence } = renewal;
  const [before, now] = [evidence.name, file.name].map((name) => encodeURI(name)) as [string, string];
  const lines = text.split("\n");
  const changed = lines.map((line, index) => {
    const isEvidence = index >= evidenceIndex && index < evidenceIndex + 4;
    const named = isEvidence ? line.replaceAll(before, () => now).replaceAll(evidence.name, () => file.name) : line;
    return named
      .replace(new RegExp(evidence.sha256, "i"), file.sha256)
      .replace(fingerprints.before, fingerprints.now)
      .replace(`\`${fingerprints.now}\` (${machines.before})`, () => `\`${fingerprints.now}\` (${machines.now})`);
  });
  const bullet = /^\s*[-*+] /.exec(lines[evidenceIndex] ?? "")?.[0] ?? "* ";
  const end = (lines[evidenceIndex] ?? "").endsWith("\r") ? "\r" : "";
  // After the paragraph of the evidence, so that the new line does not split a wrapped line.
  const next = lines.findIndex((line, index) => index > evidenceIndex && /^\s*([-*+#]|$)/.test(line));
  const behind = next < 0 ? lines.length : next;
  const former = `${bullet}${sentence}. Evidence before: \`${evidence.name}\`${end}`;
  return [...changed.slice(0, behind), former, ...changed.slice(behind)].join("\n");
}
