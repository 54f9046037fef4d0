import type { CodecId } from "../scenarios/benchmark.ts";
import type { Optimize } from "../scenarios/workload.ts";
import type { WaitMode } from "../transports/contract/capabilities.ts";
import type { Placement } from "./results/model.ts";

type OneOrMore<Value> = Value | readonly Value[];

interface SharedFlags {
  readonly transport?: OneOrMore<string>;
  readonly json?: boolean;
  readonly out?: string;
  readonly seed?: number;
}

interface RunFlags extends SharedFlags {
  readonly peer?: OneOrMore<"node" | "python">;
  readonly bundle?: boolean;
}

interface MeasuringFlags extends RunFlags {
  readonly client?: OneOrMore<"node" | "python">;
  /** Bytes, or a size such as `4KiB`. */
  readonly payload?: OneOrMore<number | string>;
  readonly clients?: OneOrMore<number>;
  readonly rate?: OneOrMore<number>;
  /** A time such as `200us`. */
  readonly work?: string;
  readonly placement?: OneOrMore<Placement>;
  readonly mode?: OneOrMore<WaitMode>;
  readonly trials?: number;
  /** A number, or the path of recorded messages. */
  readonly messages?: number | string;
  /** Field of recorded messages, such as `method`. */
  readonly group?: string;
  /** A time such as `90s`. */
  readonly budget?: string;
  readonly quick?: boolean;
  readonly thorough?: boolean;
  /** Percent: 3 or `3%`. */
  readonly until?: number | string;
  readonly keepAwake?: boolean;
  readonly cBaseline?: boolean;
  /** @deprecated Former name of `cBaseline`. */
  readonly limits?: boolean;
}

export interface CompareFlags extends MeasuringFlags {
  /** As typed: `clients=100`. */
  readonly need?: OneOrMore<string>;
  readonly profile?: string;
  readonly optimize?: Optimize;
  /** Percent: 10 or `10%`. */
  readonly matters?: number | string;
  readonly tables?: boolean;
  /** Earlier report: a file, or `last`. */
  readonly against?: string;
  readonly force?: boolean;
  readonly codec?: OneOrMore<CodecId>;
  /** Ids of claims, or `all`. */
  readonly claims?: OneOrMore<string>;
}

export interface MeasureFlags extends MeasuringFlags {
  readonly benchmark?: OneOrMore<string>;
  readonly codec?: OneOrMore<CodecId | "all">;
}

export interface CheckFlags extends RunFlags {
  readonly scenario?: OneOrMore<string>;
  readonly junit?: string;
}

export interface GateFlags extends SharedFlags {
  readonly baseDir?: string;
  readonly base?: string;
  readonly baseSetup?: string;
  readonly cmd?: string;
  readonly cmdSeconds?: number;
  readonly history?: string;
  readonly drift?: string;
  readonly payload?: OneOrMore<number | string>;
  readonly placement?: OneOrMore<Placement>;
  readonly mode?: OneOrMore<WaitMode>;
  readonly pairs?: number;
  /** A time such as `90s`. */
  readonly budget?: string;
  /** A number, or the path of recorded messages. */
  readonly messages?: number | string;
  readonly metric?: OneOrMore<GateMetric>;
  readonly strict?: boolean;
  /** Percent: 5 or `5%`. */
  readonly minEffect?: number | string;
  /** Percent: 20 or `20%`. */
  readonly tolerance?: number | string;
  readonly junit?: string;
}

type GateMetric = "p50" | "p99" | "throughput" | "cpu";

/** Cells of a gate by words of their name, such as `unix`, `unix 4KiB` or `unix event same-cpu 64`. */
interface GateCells {
  readonly cell: string;
  /** Default: `p50`; for `limits`, all metrics. */
  readonly metric?: GateMetric;
}

/** Lists of the section `gate`, which are no flags. */
export interface GateLists {
  readonly limits?: readonly (GateCells & {
    readonly minEffect?: number | string;
    readonly tolerance?: number | string;
  })[];
  /**
   * `atMost` is a time such as `80us`, which holds for one machine, or a multiple such as `1.2 x unix` or `2 x C`. With
   * `cmd`, `cell` is the name of a value, `metric` is `value`, and `atMost` has the unit of the value.
   */
  readonly budgets?: readonly (Omit<GateCells, "metric"> & {
    readonly metric?: GateMetric | "value";
    readonly atMost: string | number;
  })[];
  /** Regressions of at most `atMost` percent that are acknowledged up to a day, such as `2026-12-31`. */
  readonly accept?: readonly (GateCells & {
    readonly atMost: number | string;
    readonly until: string;
    readonly reason: string;
  })[];
}

export interface ReportFlags extends Pick<SharedFlags, "out"> {
  /** Ids of claims, or `all`. */
  readonly claims?: OneOrMore<string>;
  readonly adr?: string;
  readonly format?: OneOrMore<"html" | "markdown" | "csv" | "json">;
  /** Accepted, since other commands have it; `report` always prints all tables. */
  readonly tables?: boolean;
}

export interface RecheckFlags extends Pick<RunFlags, "json" | "out" | "seed" | "bundle"> {
  readonly acceptConditions?: boolean;
  /** Path of the recorded messages with which the decision was made. */
  readonly messages?: string;
  /** A time such as `90s`. */
  readonly budget?: string;
  readonly quick?: boolean;
  readonly thorough?: boolean;
}

export interface RecordFlags {
  readonly file?: string;
  readonly redact?: boolean;
}

export interface ListFlags extends Pick<SharedFlags, "transport" | "json"> {
  readonly needs?: boolean;
  readonly profiles?: boolean;
  /** Ids of claims, or `all`. */
  readonly claims?: OneOrMore<string>;
}

export interface DoctorFlags {
  readonly fix?: boolean;
  readonly emptyCache?: boolean;
  readonly json?: boolean;
}

/** Flags of any command. */
export type ConfigFlags = CompareFlags &
  MeasureFlags &
  CheckFlags &
  GateFlags &
  ReportFlags &
  RecheckFlags &
  RecordFlags &
  DoctorFlags;

/**
 /**
  * Contents of `ipcmark.config.ts`: flags by their long names in camel case, as they would be typed, such as
  * `{ payload: [64, "4KiB"], trials: 20, cBaseline: false }`. A flag on the command line goes before the section of its
  * command, and that before `flags`. Paths are relative to the file.
  */
export interface Config {
  /** For every command that has the flag. */
  readonly flags?: ConfigFlags;
  readonly compare?: CompareFlags;
  readonly check?: CheckFlags;
  readonly measure?: MeasureFlags;
  /** `setup` is a short name of `baseSetup`. */
  readonly gate?: GateFlags & GateLists & { readonly setup?: string };
  readonly report?: ReportFlags;
  readonly merge?: Pick<SharedFlags, "out">;
  readonly recheck?: RecheckFlags;
  readonly record?: RecordFlags;
  readonly list?: ListFlags;
  readonly doctor?: DoctorFlags;
}

/** Gives an editor and the compiler the type of a configuration; returns it as it is. */
export function defineConfig(config: Config): Config {
  return config;
}
