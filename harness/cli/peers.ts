import { PROGRAM } from "../../transports/contract/capabilities.ts";
import type { TransportDescription } from "../../transports/contract/transport.ts";
import { note } from "../process/note.ts";
import { realProgram } from "../process/real-program.ts";
import { UsageError } from "../results/exit-codes.ts";
import { unknownName } from "./suggest.ts";
import type { Candidate, Chosen } from "./transports.ts";

/** Languages of servers. */
export const LANGUAGES: readonly string[] = ["node", "python"];

export function parsePeer(text: string): string {
  if (!LANGUAGES.includes(text)) throw new UsageError(unknownName("peer", text, LANGUAGES));
  return text;
}

/**
 * Returns the languages of this transport's server: those asked for, otherwise Node's. `python-connection` exists to
 * talk to Python, so wherever there is a Python it has a row with a Python server by default; in a short overview this
 * row stands for the mechanism alone. A program of
 * the user's is the one server it has, whatever was asked for.
 */
export function languagesFor(
  transport: TransportDescription,
  asked: readonly string[] | undefined,
  overview: boolean = false,
): readonly string[] {
  if (transport.program !== undefined) return [PROGRAM];
  if (asked !== undefined) return [...new Set(asked)];
  if (transport.id !== "python-connection" || languageReason(transport, "python") !== undefined) return ["node"];
  return overview ? ["python"] : ["node", "python"];
}

/** Returns why this transport cannot have a server in that language here; undefined when it can. */
export function languageReason(transport: TransportDescription, language: string): string | undefined {
  if (language === "node" || transport.program !== undefined) return undefined;
  const [program] = transport.peers?.[language] ?? [];
  if (program === undefined) return `has no server written in ${language}`;
  const found = realProgram(program);
  return "reason" in found ? found.reason : undefined;
}

/** Returns the value of `DriverStart.peerProgram`; undefined where the server is one of our own processes. */
export function programFor(transport: TransportDescription, language: string): string | undefined {
  const [program] = transport.peers?.[language] ?? [];
  if (language === "node" || program === undefined) return undefined;
  const found = realProgram(program);
  return "path" in found ? found.path : undefined;
}

/** Prints on stderr what was named and cannot run. @returns true when there is any, or a module was refused */
export function noteAbsent({ candidates, refused }: Chosen, peers: readonly string[] | undefined): boolean {
  const absent = candidates.flatMap((candidate) => {
    const reason = whyAbsent(candidate, peers);
    return reason === undefined ? [] : [`${candidate.record.id} was asked for by name and did not run: ${reason}`];
  });
  for (const sentence of absent) note(sentence);
  return absent.length + refused.length > 0;
}

/** Returns why nothing of a named transport can run here; undefined when something can, or it was not named. */
export function whyAbsent(
  { named, record, transport }: Candidate,
  peers: readonly string[] | undefined,
): string | undefined {
  if (!named) return undefined;
  if (!record.available) return record.reason;
  const reasons = languagesFor(transport, peers).map((language) => languageReason(transport, language));
  return reasons.includes(undefined) ? undefined : reasons[0];
}
