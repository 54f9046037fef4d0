import { type ParseArgsConfig, type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { EXIT } from "../results/exit-codes.ts";

type Values<Options extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: Options }>>["values"];

/** Parses the options of a benchmark. An invalid one ends it with one sentence and exit code 2. */
export function benchOptions<const Options extends ParseArgsOptionsConfig>(options: Options): Values<Options> {
  try {
    return parseArgs({ options } satisfies ParseArgsConfig).values as Values<Options>;
  } catch (error) {
    const [first = "the command line is not valid"] = (error as Error).message.split(/[.\n]/);
    const valid = Object.keys(options).map((name) => `--${name}`);
    return refuse(`${first}; valid options: ${valid.join(", ")}`);
  }
}

/** Parses a whole number of at least `least`, given as the value of `--<name>`. */
export function countOf(name: string, text: string, least = 1): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= least) return count;
  return refuse(`--${name} ${text} is not a whole number of at least ${least}`);
}

/** Ends the benchmark over its command line; `sentence` states the fault and the remedy. */
export function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(EXIT.usage);
}
