import { PROGRAM } from "../../transports/contract/capabilities.ts";
import type { TransportDescription } from "../../transports/contract/transport.ts";
import { note } from "../process/note.ts";
import { pythonWith, type RealProgram, realProgram } from "../process/real-program.ts";
import { UsageError } from "../results/exit-codes.ts";
import { unknownName } from "./suggest.ts";
import type { Candidate, Chosen } from "./transports.ts";
import { MOST_CLIENTS, parseCount } from "./values.ts";

/** Languages of servers and of clients. */
export const LANGUAGES: readonly string[] = ["node", "python"];

export function parsePeer(text: string): string {
  if (!LANGUAGES.includes(text)) throw new UsageError(unknownName("peer", text, LANGUAGES));
  return text;
}

/** Parses a language of `--client`. @throws UsageError, which names `--clients` for a number */
export function parseClient(text: string): string {
  if (/^\d+$/.test(text.trim()))
    throw new UsageError(
      `client "${text}" is no language (${LANGUAGES.join(", ")}); a number is --clients ${text.trim()}`,
    );
  if (!LANGUAGES.includes(text)) throw new UsageError(unknownName("client", text, LANGUAGES));
  return text;
}

/** Parses a number of `--clients`. @throws UsageError, which names `--client` for a language */
export function parseClients(text: string): number {
  if (LANGUAGES.includes(text))
    throw new UsageError(`--clients "${text}" is no number; the language of the client is --client ${text}`);
  return parseCount("--clients", 1, MOST_CLIENTS)(text);
}

/** Ends of an exchange that may be in another language. */
type End = "peers" | "clients";

/** Reason why an end cannot be in a language: the mechanism has none, or this machine lacks something. */
export interface LanguageObstacle {
  readonly status: "not-applicable" | "unavailable";
  readonly reason: string;
}

/**
 * Returns the languages of the servers that are measured: those of `--peer`. A client in another language is measured
 * with each server, so that the pairs stand side by side.
 */
export function peersFor(
  { peer, client }: { readonly peer?: readonly string[]; readonly client?: readonly string[] },
  otherwise?: readonly string[],
): readonly string[] | undefined {
  return peer ?? (client?.some((language) => language !== "node") ? LANGUAGES : otherwise);
}

/** Returns the languages of clients besides Node, whose own client every pair is compared with. */
export function foreignClients(
  { program, capabilities }: TransportDescription,
  asked: readonly string[] = [],
): readonly string[] {
  if (program !== undefined || capabilities.rendezvous !== "address") return [];
  return [...new Set(asked)].filter((language) => language !== "node");
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
  return languageObstacle(transport, language)?.reason;
}

/** Returns why this transport cannot have that end in that language here; undefined when it can. */
export function languageObstacle(
  transport: TransportDescription,
  language: string,
  end: End = "peers",
): LanguageObstacle | undefined {
  if (language === "node" || transport.program !== undefined) return undefined;
  const command = transport[end]?.[language];
  const noun = end === "peers" ? "server" : "client";
  if (command === undefined) return { status: "not-applicable", reason: `has no ${noun} written in ${language}` };
  const found = programOf(command);
  return "reason" in found ? { status: "unavailable", reason: found.reason } : undefined;
}

/** For `DriverStart.peerProgram`, or `clientProgram`: undefined where that end is one of our own processes. */
export function programFor(transport: TransportDescription, language: string, end: End = "peers"): string | undefined {
  const command = transport[end]?.[language];
  if (language === "node" || command === undefined) return undefined;
  const found = programOf(command);
  return "path" in found ? found.path : undefined;
}

/** Finds the program of a command; one that names a module behind `--needs` must have it. */
function programOf([program, ...args]: readonly [string, ...string[]]): RealProgram {
  const module = args[args.indexOf("--needs") + 1];
  return args.includes("--needs") && module !== undefined ? pythonWith(program, module) : realProgram(program);
}

/** Prints on stderr what was named and cannot run. @returns true when there is any, or a module was refused */
export function noteAbsent(
  { candidates, refused }: Chosen,
  peers: readonly string[] | undefined,
  clients?: readonly string[],
): boolean {
  const absent = candidates.flatMap((candidate) => {
    const { record, transport, named } = candidate;
    const reason = whyAbsent(candidate, peers);
    if (reason !== undefined) return [`${record.id} was asked for by name and did not run: ${reason}`];
    if (!named) return [];
    const without = languagesFor(transport, peers).flatMap((language) => {
      const found = languageObstacle(transport, language);
      if (found?.status !== "unavailable") return [];
      return [`${record.id} did not run with a server in ${language}: ${found.reason}`];
    });
    const alone = foreignClients(transport, clients).flatMap((language) => {
      const found = languageObstacle(transport, language, "clients");
      if (found === undefined) return [];
      const reason = found.status === "unavailable" ? found.reason : `it ${found.reason}`;
      return [`${record.id} is measured with a client on Node only: ${reason}`];
    });
    // With a client in a language that is not here, one sentence is enough.
    return alone.length > 0 ? alone : without;
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
