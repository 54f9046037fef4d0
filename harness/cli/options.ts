import { type Command, Option } from "commander";
import type { CodecId } from "../../scenarios/benchmark.ts";
import type { Requirement } from "../../scenarios/need.ts";
import { OPTIMIZE, type Optimize } from "../../scenarios/workload.ts";
import type { WaitMode } from "../../transports/contract/capabilities.ts";
import type { Placement } from "../results/model.ts";
import { parseNeed } from "./parse-needs.ts";
import { type Payloads, parsePayload } from "./payloads.ts";
import { parseClient, parseClients, parsePeer } from "./peers.ts";
import { groupOption, type MessagesOption, messagesOption, type Replayed } from "./recorded.ts";
import {
  each,
  parseCount,
  parseDuration,
  parseMode,
  parseOptimize,
  parsePercent,
  parsePlacement,
  parseWork,
} from "./values.ts";

/** Folder of `--out` where none is named; `report` reads the report in it. */
export const DEFAULT_OUT = "ipcmark-out";

export interface SharedOptions {
  readonly transport?: readonly string[];
  readonly peer?: readonly string[];
  readonly json?: boolean;
  readonly out: string;
  readonly seed?: number;
  readonly bundle?: boolean;
}

export interface MeasureOptions extends SharedOptions {
  /** Languages of clients. */
  readonly client?: readonly string[];
  /** Needs of `compare`. */
  readonly need?: readonly Requirement[];
  readonly profile?: string;
  readonly benchmark?: readonly string[];
  readonly codec?: readonly (CodecId | "all")[];
  readonly payload?: Payloads;
  /** Numbers of client processes that send at the same time; the first is that of the answer. */
  readonly clients?: readonly number[];
  /** Requests a second, all clients together; the first is that of the answer. */
  readonly rate?: readonly number[];
  /** CPU time that the server spends on each request, µs. */
  readonly work?: number;
  /** Metric of `compare`. */
  readonly optimize?: Optimize;
  /** Share of the time of a request below which a difference does not matter, 0 to 1. */
  readonly matters?: number;
  readonly placement?: readonly Placement[];
  readonly mode?: readonly WaitMode[];
  readonly trials?: number;
  readonly messages?: MessagesOption;
  /** Field by which recorded messages are grouped. */
  readonly group?: string;
  /** Recorded messages that `messages` names, once they are read. */
  readonly replayed?: Replayed | undefined;
  readonly budget?: number;
  readonly quick?: boolean;
  readonly thorough?: boolean;
  /** Half width of every p50 interval, relative to its p50, at which the run ends. */
  readonly until?: number;
  readonly keepAwake?: boolean;
  readonly cBaseline?: boolean;
  /** Ids of claims that `compare` tests instead of picking. */
  readonly claims?: readonly string[];
  /** `true` when `compare` prints every table behind the answer. */
  readonly tables?: boolean;
  /** Report that `compare` compares itself with: a file, or `last`. */
  readonly against?: string;
  /** `true` when it may be of another machine. */
  readonly force?: boolean;
  /** Former name of `cBaseline`. */
  readonly limits?: boolean;
}

/** Makes an option that takes several values, separated by blanks or commas. */
function many<Value>(flags: string, description: string, parse: (text: string) => Value): Option {
  return new Option(flags, description).argParser(each(parse));
}

export function withShared(command: Command): Command {
  return command
    .addOption(
      many(
        "--transport <id...>",
        "ids, paths of modules that export a Transport, or all (default: a shortlist; no family with a broker)",
        String,
      ),
    )
    .addOption(many("--peer <language...>", "language of the server: node, python", parsePeer))
    .option("--json", "print only the report, as JSON, on stdout")
    .option("--out <dir>", "folder for report.json and report.html", DEFAULT_OUT)
    .addOption(
      new Option("--seed <n>", "seed of the random order of trials (default: a new seed, which is printed)").argParser(
        parseCount("--seed", 0, 2 ** 32 - 1),
      ),
    )
    .addOption(new Option("--no-bundle", "start every process from the source, which takes longer").hideHelp());
}

export function withMeasuring(command: Command): Command {
  return withShared(command)
    .addOption(
      many(
        "--client <language...>",
        "language of the client: node, python (adds a client in Python, and servers in both languages without --peer)",
        parseClient,
      ),
    )
    .addOption(
      new Option(
        "--payload <bytes...>",
        "sizes such as 64 4KiB 1MiB, or a mix in percent such as 64:70,4KiB:30",
      ).argParser(parsePayload),
    )
    .addOption(
      many(
        "--clients <n...>",
        "client processes that send at the same time; several numbers are all measured, and the pick is for the first",
        parseClients,
      ),
    )
    .addOption(
      many(
        "--rate <n...>",
        "requests per second of all clients together, sent without waiting for replies; with several, see --clients",
        parseCount("--rate", 1, 1_000_000),
      ),
    )
    .addOption(
      new Option("--work <time>", "CPU time that the server spends on each request, such as 200us or 1ms").argParser(
        parseWork,
      ),
    )
    .addOption(
      many("--placement <where...>", "CPUs of the two processes: same-cpu, two-cpus, unpinned", parsePlacement),
    )
    .addOption(many("--mode <class...>", "how the two processes wait: event, blocking, polling", parseMode))
    .addOption(
      new Option("--trials <n>", "trials, each with two fresh processes; an interval needs 6 (default: as many as fit)")
        .argParser(parseCount("--trials", 1, 1000))
        .conflicts("until"),
    )
    .addOption(messagesOption("messages per trial (default: set by a calibration)"))
    .addOption(groupOption())
    .addOption(new Option("--budget <time>", "time for the whole run, such as 90s or 5m").argParser(parseDuration))
    .addOption(
      new Option("--quick", "short windows, and at least 6 trials (an interval needs 6)").conflicts("thorough"),
    )
    .option("--thorough", "at least 30 trials with up to 10,000 round trips each")
    .addOption(
      new Option(
        "--until <percent>",
        "run more rounds until every p50 interval is narrower than ± this share of its p50, such as 3%",
      ).argParser(parsePercent("--until")),
    )
    .option("--no-c-baseline", "do not compare with the same round trips in plain C (the comparison needs cc)")
    .addOption(new Option("--no-limits").hideHelp())
    .option(
      "--keep-awake",
      "run a loop of idle priority on every CPU in use, so that no virtual CPU halts; the report records this",
    );
}

/** Adds the options of the question that `compare` answers. */
export function withQuestion(command: Command): Command {
  return command
    .addOption(
      many(
        "--need <name...>",
        "what the mechanism must do, such as windows clients=100 peer-loss=1s (list --needs shows all needs)",
        parseNeed,
      ),
    )
    .option(
      "--profile <name|file>",
      "name of a common use, or a file with your own needs and workload (list --profiles shows all; default: rpc)",
    )
    .addOption(
      new Option(
        "--optimize <quantity>",
        `quantity by which mechanisms are ranked: ${OPTIMIZE.join(", ")} (default: p50)`,
      ).argParser(parseOptimize),
    )
    .addOption(
      new Option(
        "--matters <percent>",
        "smallest difference that matters, in percent of the time of a request (default: 10%)",
      ).argParser(parsePercent("--matters")),
    );
}
