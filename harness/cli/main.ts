#!/usr/bin/env node
/** Oldest Node that runs the program. An older one must be able to parse this file, and loads no other of ours. */
const LEAST = [22, 18] as const;
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) {
  await import("./program.ts");
} else {
  const found = `Node ${process.versions.node} is too old`;
  process.stderr.write(
    `ipcmark: ${found}: this program needs ${LEAST.join(".")} or newer; install that and try again\n`,
  );
  // As of `EXIT.refused`, which is in a file that is not loaded here.
  process.exitCode = 23;
}

export {};
