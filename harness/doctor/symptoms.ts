import { lstatSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ours } from "./commands.ts";
import type { Finding, Probe } from "./finding.ts";
import { readText } from "./read.ts";

const SHOWN = 3;

/** Finds sockets of ours without a listener: the first row of the troubleshooting table. */
export const stalePaths: Probe = () => {
  const topic = "stale socket paths";
  const listed = readText("/proc/net/unix");
  if (listed === null) return [];
  const bound = new Set(listed.split("\n").map((line) => line.split(" ").slice(7).join(" ")));
  const places = [tmpdir(), process.env["XDG_RUNTIME_DIR"]].filter((place) => place !== undefined);
  const stale = places.flatMap(socketsIn).filter((path) => !bound.has(path));
  if (stale.length === 0) return [{ topic, status: "ok", found: `none of yours in ${places.join(", ")}` }];
  const more = stale.length > SHOWN ? ` and ${stale.length - SHOWN} more` : "";
  return [
    {
      topic,
      status: "warning",
      found: `${stale.slice(0, SHOWN).join(", ")}${more}`,
      meaning: "no server listens there: one that binds without unlinking fails with EADDRINUSE or FileExistsError",
      fix: `rm ${stale.slice(0, SHOWN).map(quoted).join(" ")}`,
    },
  ];
};

function socketsIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isSocket())
      .map(({ name }) => join(directory, name))
      .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.());
  } catch {
    return [];
  }
}

function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** Rows of the table that only the suffering program can observe, with their cause and the checks that show it here. */
const ROWS: readonly {
  readonly symptom: string;
  readonly cause: string;
  readonly cure: string;
  readonly checks: string;
}[] = [
  {
    symptom: "a client hangs on receive",
    cause: "its server crashed, or never answers",
    cure: "give every wait a limit, and connect again with back-off",
    checks: "stalled-server frozen-server server-dies peer-loss",
  },
  {
    symptom: "a client reads the end of file (EOFError)",
    cause: "the server closed the connection",
    cure: "connect again, and repeat only what is idempotent",
    checks: "end-of-file reconnect",
  },
  {
    symptom: "an idle process burns CPU",
    cause: "it spins on shared memory",
    cure: "wait on a semaphore, a futex or an event instead",
    checks: "idle-cpu",
  },
  {
    symptom: "messages arrive corrupt",
    cause: "one read was taken for one message",
    cure: "put a length before every message, and read until it is whole",
    checks: "fragmentation message-boundaries",
  },
];

/** Lists symptoms with their cause, cure and checks, whatever this machine shows. */
export const symptoms: Probe = () =>
  ROWS.map(
    ({ symptom, cause, cure, checks }): Finding => ({
      topic: `if ${symptom}`,
      status: "note",
      found: cause,
      meaning: cure,
      fix: ours("check", "--scenario", checks),
    }),
  );
