import { defineConfig } from "vitest/config";

const FOLDERS = "{transports,scenarios,harness,reports,ci}";
/** These measure, or count what the kernel did: nothing else runs meanwhile. */
const ALONE = [
  "harness/coordinator/{controls,dying-driver,faulty-measurement,prepared}.test.ts",
  "harness/driver/models/*.test.ts",
  "harness/cli/{compare,gate,interrupt,poor-machine}.test.ts",
];

export default defineConfig({
  test: {
    pool: "forks",
    globalSetup: "./vitest.global-setup.ts",
    reporters: ["default"],
    projects: [
      {
        extends: true,
        test: {
          name: "beside",
          include: [`${FOLDERS}/**/*.test.ts`],
          exclude: ALONE,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "alone",
          include: ALONE,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
