import { matchesGlob, relative } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const FOLDERS = "{transports,scenarios,harness,reports,ci}";
/** Files that compare times, count what the kernel did, or end within a promised time: nothing else runs meanwhile. */
const ALONE = [
  "harness/coordinator/{controls,prepared}.test.ts",
  "harness/cli/interrupt.test.ts",
  "ci/gate/gate.test.ts",
];
/** Files that replace a module, or load a native library that bears no other: each gets a process of its own. */
const FRESH = [
  "transports/{file-drop/half-open,posix/ffi-rs,posix/koffi,shared-memory/windows-store,zeromq/*}.test.ts",
];

/** Files that take longest begin first: begun last, they would leave the other workers without work. */
const LONG = [
  "harness/driver/checks/objections.test.ts",
  "harness/driver/checks/scenarios.test.ts",
  "harness/cli/{compare,poor-machine,check,modules}.test.ts",
  "harness/coordinator/{checks,dying-driver}.test.ts",
  "harness/driver/models/models.test.ts",
  "harness/peer/python/{blocking,peer}.test.ts",
  "reports/html/{browser,reader}.test.ts",
  "transports/{python-connection/interop,shared-memory/shared-memory,sockets/web,zeromq/zeromq}.test.ts",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      LONG.some((glob) => matchesGlob(relative(import.meta.dirname, moduleId), glob));
    return (await super.sort(files)).toSorted((a, b) => Number(isLong(b)) - Number(isLong(a)));
  }
}

/** One more than there are CPUs: much of it waits for processes that start. */
const WORKERS = 3;

export default defineConfig({
  test: {
    pool: "forks",
    globalSetup: "./vitest.global-setup.ts",
    reporters: ["default"],
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          // Three processes run one file after the other, and keep what they have loaded.
          name: "beside",
          include: [`${FOLDERS}/**/*.test.ts`],
          exclude: [...FRESH, ...ALONE],
          isolate: false,
          maxWorkers: WORKERS,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "fresh",
          include: FRESH,
          maxWorkers: WORKERS,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "alone",
          include: ALONE,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
