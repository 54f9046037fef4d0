import { execFileSync } from "node:child_process";
import type { Transport } from "../../transports/contract/transport.ts";
import { UsageError } from "./exit-codes.ts";
import { unknownName } from "./suggest.ts";
import type { Candidate } from "./transports.ts";

/** Languages a server can be written in here. */
export const LANGUAGES: readonly string[] = ["node", "python"];
const PROBE_MS = 5000;

export function parsePeer(text: string): string {
  if (!LANGUAGES.includes(text)) throw new UsageError(unknownName("peer", text, LANGUAGES));
  return text;
}

/**
 * The languages to run this transport's server in: those asked for, otherwise Node's. `python-connection` exists to talk to Python, so its row with a
 * Python server is there without being asked for, wherever there is a Python.
 */
export function languagesFor(transport: Transport, asked: readonly string[] | undefined): readonly string[] {
  if (asked !== undefined) return [...new Set(asked)];
  return transport.id === "python-connection" && languageReason(transport, "python") === undefined
    ? ["node", "python"]
    : ["node"];
}

const programs = new Map<string, string | undefined>();

/** Why this transport cannot have a server in that language here; undefined when it can. */
export function languageReason(transport: Transport, language: string): string | undefined {
  if (language === "node") return undefined;
  const command = transport.peers?.[language];
  if (command === undefined) return `has no server written in ${language}`;
  const [program] = command;
  if (!programs.has(program)) programs.set(program, programReason(program));
  return programs.get(program);
}

/** Why nothing of a transport that was asked for by name can run here; undefined when something can, or it was not. */
export function whyAbsent(
  { named, record, transport }: Candidate,
  peers: readonly string[] | undefined,
): string | undefined {
  if (!named) return undefined;
  if (!record.available) return record.reason;
  const reasons = languagesFor(transport, peers).map((language) => languageReason(transport, language));
  return reasons.includes(undefined) ? undefined : reasons[0];
}

function programReason(program: string): string | undefined {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore", timeout: PROBE_MS });
    return undefined;
  } catch {
    return `the program ${program} cannot be run; install it`;
  }
}
