import { Command } from "commander";
import { listTable, wrappedTable } from "../../reports/terminal/index.ts";
import { valueText } from "../../scenarios/need.ts";
import { NEEDS } from "../../scenarios/needs/index.ts";
import { PROFILES } from "../../scenarios/profiles/index.ts";
import { ffiFloor } from "../../transports/posix/index.ts";
import { EXIT } from "../results/exit-codes.ts";
import { absentPackages } from "./absent-packages.ts";
import { chooseClaims, claimsOption } from "./claims-option.ts";
import { print, printJson, printTables } from "./output.ts";
import { resolveTransports } from "./transports.ts";

interface ListOptions {
  readonly transport?: string[];
  readonly needs?: boolean;
  readonly profiles?: boolean;
  readonly claims?: readonly string[];
  readonly json?: boolean;
}

export function listCommand(): Command {
  return new Command("list")
    .description("list every transport, whether it works on this machine, and if not, why")
    .option("--transport <id...>", "list only these: ids, or paths of modules")
    .option("--needs", "list the needs for compare --need instead of the transports")
    .option("--profiles", "list the profiles for compare --profile instead of the transports")
    .addOption(claimsOption("list claims for compare --claims instead of the transports"))
    .option("--json", "print the list as JSON on stdout")
    .action(async (options: ListOptions) => {
      const { transport, json } = options;
      if (options.needs || options.profiles || options.claims) return printQuestions(options);
      const { candidates, refused } = await resolveTransports(transport ?? ["all"]);
      const ffi = ffiFloor();
      if (json) {
        printJson({
          transports: candidates.map(({ record, family, shortlist }) => ({ ...record, family, shortlist })),
          ffi,
        });
        return;
      }
      printTables(listTable(candidates.map(({ record, family }) => ({ ...record, family }))));
      print(
        ffi.binding === "none"
          ? `\nPOSIX binding: none${absentPackages().includes("koffi") ? "" : ` (${ffi.reason})`}`
          : `\nPOSIX binding: ${ffi.binding}, ${ffi.callNs} ns per call`,
      );
      const missing = refused.length > 0 || candidates.some(({ record, named }) => named && !record.available);
      if (missing) process.exitCode = EXIT.incomplete;
    });
}

function printQuestions({ needs, profiles, claims, json }: ListOptions): void {
  const rows = NEEDS.map(({ name, kind, standard, why, sentence }) => ({
    need: kind === "none" ? name : `${name}=${valueText(kind, standard)}`,
    means: sentence(standard),
    why,
  }));
  if (json) {
    printJson({
      ...(needs ? { needs: rows } : {}),
      ...(profiles ? { profiles: PROFILES } : {}),
      ...(claims ? { claims: chooseClaims(claims).map(({ parts: _, ...claim }) => claim) } : {}),
    });
    return;
  }
  const tables: string[] = [];
  if (needs)
    tables.push(
      wrappedTable(
        ["need", "the mechanism"],
        rows.map(({ need, means, why }) => [need, `${means}. ${why}`]),
      ),
    );
  if (profiles) {
    const questions = PROFILES.map(({ name, needs, why }) => [name, needs.join(", ") || "–", why]);
    tables.push(wrappedTable(["profile", "needs", "for"], questions));
  }
  if (claims) {
    const rows = chooseClaims(claims).map(({ id, text, source, date }) => [id, `${text}. (${source}; ${date})`]);
    tables.push(wrappedTable(["claim", "people say"], rows));
  }
  printTables(tables.join("\n\n"));
}
