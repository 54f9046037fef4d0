#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
import { Command, CommanderError } from "commander";
import { packageVersion } from "../results/environment.ts";
import { StoreError } from "../results/store.ts";
import { checkCommand } from "./check.ts";
import { compareCommand } from "./compare.ts";
import { doctorCommand } from "./doctor.ts";
import { EXIT, UsageError } from "./exit-codes.ts";
import { gateCommand } from "./gate.ts";
import { listCommand } from "./list.ts";
import { measureCommand } from "./measure.ts";
import { reportCommand } from "./report.ts";

const program = new Command("ipcmark")
  .description(
    "Which IPC mechanism should two processes on this machine use? Checked, measured, picked, with the evidence.",
  )
  .version(packageVersion())
  .showSuggestionAfterError()
  .addCommand(compareCommand())
  .addCommand(checkCommand())
  .addCommand(measureCommand())
  .addCommand(gateCommand())
  .addCommand(reportCommand())
  .addCommand(listCommand())
  .addCommand(doctorCommand());

// Every command throws instead of exiting, so that all errors leave by one door and in one form.
for (const command of [program, ...program.commands]) {
  command.exitOverride().configureOutput({ writeErr: () => {} });
}

// A reader such as `head` that has seen enough is no error of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    if (error.code === "commander.help") {
      process.stderr.write(program.helpInformation());
      return EXIT.usage;
    }
    return say(error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " "), EXIT.usage);
  }
  if (error instanceof UsageError || error instanceof StoreError) return say(error.message, EXIT.usage);
  return say(`unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, EXIT.crash);
}

function say(message: string, code: number): number {
  process.stderr.write(`ipcmark: ${message}\n`);
  return code;
}
