import { Command, CommanderError } from "commander";
import { shortageIn } from "../../transports/contract/errors.ts";
import { MachineError } from "../process/machine-error.ts";
import { packageVersion } from "../results/environment.ts";
import { EXIT, IncompleteError, NobodyQualifies, UsageError } from "../results/exit-codes.ts";
import { visible, visibleLines } from "../results/format.ts";
import { StoreError } from "../results/store.ts";
import { COMMANDS, everyFlag } from "./commands.ts";
import { withConfig } from "./config-file.ts";
import { optionHint } from "./option-hint.ts";

// Readers that have seen enough, such as `head`, are no error of ours; what the command found out still counts.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(process.exitCode ?? EXIT.ok);
});
// Nobody reads stderr any more. The run goes on and stores its report.
process.stderr.on("error", () => {});

const program = new Command("ipcmark")
  .description(
    "Checks and measures IPC mechanisms on this machine, and picks one for two processes, with the evidence.",
  )
  .version(packageVersion())
  .showSuggestionAfterError();

try {
  const typed = COMMANDS[process.argv[2] ?? ""];
  for (const load of typed === undefined ? Object.values(COMMANDS) : [typed])
    program.addCommand(withConfig(await load(), everyFlag));
  // Every command throws instead of exiting, so that all errors end in one place and have one form.
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeErr: () => {} });
  }
  // The hints of `optionHint` also have prefixes, and the flags of other commands.
  for (const command of program.commands) command.showSuggestionAfterError(false);
  await program.parseAsync();
} catch (error) {
  process.exitCode = await report(error);
}

async function report(error: unknown): Promise<number> {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    if (error.code === "commander.help") {
      process.stderr.write(program.helpInformation());
      return EXIT.usage;
    }
    return say(
      visible(error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ") + (await wayOut(error))),
      EXIT.usage,
    );
  }
  if (error instanceof UsageError || error instanceof StoreError) return say(visible(error.message), EXIT.usage);
  if (error instanceof NobodyQualifies) return say(error.message, EXIT.noPick);
  if (error instanceof IncompleteError) return say(error.message, EXIT.incomplete);
  if (error instanceof MachineError) return say(visible(error.message), EXIT.refused);
  const shortage = shortageIn(error);
  if (shortage !== undefined) return say(visible(shortage.message), EXIT.refused);
  const full = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return say(`unexpected: ${visibleLines(full)}`, EXIT.crash);
}

/** Returns what to type instead of an unknown option, or of `check unix`, the first thing many try. */
async function wayOut({ code, message }: CommanderError): Promise<string> {
  const command = program.commands.find((each) => each.name() === process.argv[2]);
  const unknown = /unknown option '(.+?)'$/s.exec(message)?.[1];
  if (unknown !== undefined) return optionHint(unknown, command ?? program);
  const named = command?.options.some(({ long }) => long === "--transport") ?? false;
  if (code !== "commander.excessArguments" || command === undefined || !named) return "";
  return ` Name transports with --transport, as in \`${command.name()} --transport unix fifo\`.`;
}

function say(message: string, code: number): number {
  process.stderr.write(`ipcmark: ${message}\n`);
  return code;
}
