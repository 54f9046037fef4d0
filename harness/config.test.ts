import type { Command } from "commander";
import { expect, test } from "vitest";
import { checkCommand } from "./cli/check.ts";
import { compareCommand } from "./cli/compare.ts";
import { flagsOf } from "./cli/config-file.ts";
import { doctorCommand } from "./cli/doctor.ts";
import { gateCommand } from "./cli/gate.ts";
import { listCommand } from "./cli/list.ts";
import { measureCommand } from "./cli/measure.ts";
import { recheckCommand } from "./cli/recheck.ts";
import { recordCommand } from "./cli/record.ts";
import { reportCommand } from "./cli/report.ts";
import * as configuration from "./config.ts";

/** Every flag of a section: one that the type lacks, and one that it has besides, is an error of the compiler. */
type EveryFlag<Flags> = Record<keyof Flags, true>;

const run = { transport: true, json: true, out: true, seed: true, peer: true, bundle: true } as const;
const sizes = { payload: true, placement: true, mode: true, messages: true } as const;
const measuring = {
  ...run,
  ...sizes,
  client: true,
  clients: true,
  rate: true,
  work: true,
  trials: true,
  budget: true,
  quick: true,
  thorough: true,
  until: true,
  keepAwake: true,
  cBaseline: true,
  limits: true,
  group: true,
} as const;
const compare: EveryFlag<configuration.CompareFlags> = {
  ...measuring,
  need: true,
  profile: true,
  tables: true,
  against: true,
  force: true,
  claims: true,
  optimize: true,
  matters: true,
  codec: true,
};
const measure: EveryFlag<configuration.MeasureFlags> = { ...measuring, benchmark: true, codec: true };
const check: EveryFlag<configuration.CheckFlags> = { ...run, scenario: true, junit: true };
const gate: EveryFlag<configuration.GateFlags> = {
  ...sizes,
  ...{ transport: true, json: true, out: true, seed: true },
  ...{
    cmd: true,
    cmdSeconds: true,
    history: true,
    drift: true,
    budget: true,
    baseDir: true,
    base: true,
    baseSetup: true,
    pairs: true,
    metric: true,
    strict: true,
    minEffect: true,
    tolerance: true,
    junit: true,
  },
};
const report: EveryFlag<configuration.ReportFlags> = { out: true, claims: true, adr: true, format: true, tables: true };
const recheck: EveryFlag<configuration.RecheckFlags> = {
  ...{ json: true, out: true, seed: true, bundle: true },
  ...{ messages: true, acceptConditions: true, budget: true, quick: true, thorough: true },
};
const record: EveryFlag<configuration.RecordFlags> = { file: true, redact: true };
const list: EveryFlag<configuration.ListFlags> = {
  ...{ transport: true, json: true, needs: true, profiles: true },
  claims: true,
};
const doctor: EveryFlag<configuration.DoctorFlags> = { fix: true, emptyCache: true, json: true };

test.each<[Command, EveryFlag<object>]>([
  [compareCommand(), compare],
  [measureCommand(), measure],
  [checkCommand(), check],
  [gateCommand(), gate],
  [reportCommand(), report],
  [recheckCommand(), recheck],
  [recordCommand(), record],
  [listCommand(), list],
  [doctorCommand(), doctor],
])("the type of a configuration has the flags of each command, and no others", (command, typed) => {
  expect(new Set(flagsOf(command)), command.name()).toEqual(new Set(Object.keys(typed)));
});

test("a typo in a configuration is an error of the compiler", () => {
  const { defineConfig } = configuration;
  const good = { flags: { junit: "x.xml", trials: 20 }, gate: { payload: [64, "4KiB"], minEffect: "5%" } } as const;
  expect(defineConfig(good)).toBe(good);
  // @ts-expect-error: `trials`
  defineConfig({ measure: { trialz: 20 } });
  // @ts-expect-error: `transport`
  defineConfig({ flags: { transports: ["unix"] } });
  // @ts-expect-error: `check` has no trials
  defineConfig({ check: { trials: 20 } });
  // @ts-expect-error: `same-cpu`
  defineConfig({ compare: { placement: "samecpu" } });
  // @ts-expect-error: a flag without a value is true or false
  defineConfig({ compare: { quick: "yes" } });
  // @ts-expect-error: `compare`
  defineConfig({ compares: {} });
});
