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
 * Python server is there without being asked for, wherever there is a Python; in a short overview it stands for the mechanism alone.
 */
export function languagesFor(
  transport: Transport,
  asked: readonly string[] | undefined,
  overview: boolean = false,
): readonly string[] {
  if (asked !== undefined) return [...new Set(asked)];
  if (transport.id !== "python-connection" || languageReason(transport, "python") !== undefined) return ["node"];
  return overview ? ["python"] : ["node", "python"];
}

type Program = { readonly path: string } | { readonly reason: string };
const programs = new Map<string, Program>();

/** Why this transport cannot have a server in that language here; undefined when it can. */
export function languageReason(transport: Transport, language: string): string | undefined {
  if (language === "node") return undefined;
  const command = transport.peers?.[language];
  if (command === undefined) return `has no server written in ${language}`;
  const program = locate(command[0]);
  return "reason" in program ? program.reason : undefined;
}

/** For `DriverStart.peerProgram`: nothing where the server is one of our own processes. */
export function programFor(transport: Transport, language: string): { readonly peerProgram?: string } {
  const name = language === "node" ? undefined : transport.peers?.[language]?.[0];
  const program = name === undefined ? undefined : locate(name);
  return program === undefined || "reason" in program ? {} : { peerProgram: program.path };
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

/** What is found on PATH may be a script that looks for the real program each time it is started, for longer than a Python needs to start. */
function locate(name: string): Program {
  const known = programs.get(name);
  if (known !== undefined) return known;
  const found = ask(name);
  programs.set(name, found);
  return found;
}

function ask(name: string): Program {
  try {
    const script = "import sys; print(sys.executable)";
    const said = execFileSync(name, ["-c", script], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: PROBE_MS,
    });
    return { path: said.trim() || name };
  } catch {
    return { reason: `the program ${name} cannot be run; install it` };
  }
}
