import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{transports,scenarios,harness,reports,ci}/**/*.test.ts"],
    // Real processes on few cores: files run one after the other, so that no deadline competes with another file's load.
    fileParallelism: false,
    pool: "forks",
    globalSetup: "./vitest.global-setup.ts",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ["default"],
  },
});
