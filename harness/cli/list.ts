import { Command } from "commander";
import { listTable } from "../../reports/terminal/index.ts";
import { ffiFloor } from "../../transports/posix/index.ts";
import { EXIT } from "../results/exit-codes.ts";
import { print, printJson, printTables } from "./output.ts";
import { resolveTransports } from "./transports.ts";

export function listCommand(): Command {
  return new Command("list")
    .description("what can be compared here: every transport, whether it works on this machine, and why not")
    .option("--transport <id...>", "only these")
    .option("--json", "as JSON on stdout")
    .action(async ({ transport, json }: { transport?: string[]; json?: boolean }) => {
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
          ? `\nPOSIX binding: none (${ffi.reason})`
          : `\nPOSIX binding: ${ffi.binding}, ${ffi.callNs} ns per call`,
      );
      const missing = refused.length > 0 || candidates.some(({ record, named }) => named && !record.available);
      if (missing) process.exitCode = EXIT.incomplete;
    });
}
