import { Command } from "commander";
import { examine } from "../doctor/examine.ts";
import type { Finding } from "../doctor/finding.ts";
import { emptyCache } from "../doctor/kept-bases.ts";
import { removeLeftovers } from "../doctor/leftovers.ts";
import { note } from "../process/note.ts";
import { print, printJson } from "./output.ts";
import { resolveTransports } from "./transports.ts";

const MARKS: Readonly<Record<Finding["status"], string>> = { ok: "✓", note: "·", warning: "!", problem: "✗" };

interface DoctorOptions {
  readonly fix?: boolean;
  readonly emptyCache?: boolean;
  readonly json?: boolean;
}

export function doctorCommand(): Command {
  return new Command("doctor")
    .description("examine the machine (limits, leftovers, optional programs) and explain each finding with its remedy")
    .option("--fix", "first remove the files and kernel objects of killed runs")
    .option("--empty-cache", "first remove the installed base revisions that the gate keeps for its next run")
    .option("--json", "print the findings as JSON on stdout")
    .action(async ({ fix, emptyCache: empties, json }: DoctorOptions) => {
      const removed = [...(fix ? await removeLeftovers() : []), ...(empties ? await emptyCache() : [])];
      for (const line of removed) note(line);
      if ((fix || empties) && removed.length === 0) note("nothing to remove");
      const findings = [...(await examine()), ...(await unavailable())];
      if (json) printJson({ findings, removed });
      else print(findings.map(describe).join("\n"));
    });
}

/** Returns mechanisms that do not work here, by the reason of their probe. */
async function unavailable(): Promise<Finding[]> {
  const { candidates } = await resolveTransports(["all"]);
  const idsOf = new Map<string, string[]>();
  for (const { record } of candidates)
    if (!record.available) idsOf.set(record.reason, [...(idsOf.get(record.reason) ?? []), record.id]);
  return [...idsOf].map(([meaning, ids]) => ({ topic: ids.join(", "), status: "note", found: "unavailable", meaning }));
}

function describe({ topic, status, found, meaning, fix }: Finding): string {
  const lines = [`${MARKS[status]} ${topic}: ${found}`];
  if (meaning !== undefined) lines.push(`    ${meaning}`);
  if (fix !== undefined) lines.push(`    $ ${fix}`);
  return lines.join("\n");
}
