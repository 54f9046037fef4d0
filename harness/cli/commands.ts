import type { Command } from "commander";
import { flagsOf } from "./config-file.ts";

/** Commands in the order of the help text. Only the typed one is loaded, so mistyped options are refused at once. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  compare: async () => (await import("./compare.ts")).compareCommand(),
  check: async () => (await import("./check.ts")).checkCommand(),
  measure: async () => (await import("./measure.ts")).measureCommand(),
  gate: async () => (await import("./gate.ts")).gateCommand(),
  report: async () => (await import("./report.ts")).reportCommand(),
  merge: async () => (await import("./merge.ts")).mergeCommand(),
  recheck: async () => (await import("./recheck.ts")).recheckCommand(),
  bundle: async () => (await import("./bundle.ts")).bundleCommand(),
  example: async () => (await import("./example.ts")).exampleCommand(),
  record: async () => (await import("./record.ts")).recordCommand(),
  list: async () => (await import("./list.ts")).listCommand(),
  doctor: async () => (await import("./doctor.ts")).doctorCommand(),
};

/** Returns the names of all flags, as `defineConfig` has them. */
export async function everyFlag(): Promise<string[]> {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  return [...new Set(commands.flatMap(flagsOf))];
}
