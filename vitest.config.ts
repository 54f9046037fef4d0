import { defineConfig } from "vitest/config";

const FOLDERS = "{transports,scenarios,harness,reports,ci}";
/**
 * These measure, count what the kernel did, or show that a fault is seen (a busy machine could only hide it): nothing else runs meanwhile.
 */
const ALONE = [
  "harness/coordinator/{controls,faulty-measurement,prepared}.test.ts",
  "harness/driver/models/*.test.ts",
  "harness/cli/{gate,interrupt}.test.ts",
  "harness/driver/checks/objections.test.ts",
  "transports/conformance/faulty.test.ts",
];

export default defineConfig({
  test: {
    pool: "forks",
    globalSetup: "./vitest.global-setup.ts",
    reporters: ["default"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "beside",
          include: [`${FOLDERS}/**/*.test.ts`],
          exclude: ALONE,
          // One more than there are CPUs: much of it waits for processes that start.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "alone",
          include: ALONE,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
