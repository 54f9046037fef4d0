#!/usr/bin/env node
/** The installed program begins here: an older Node must be able to parse this file, and does not get to see any other of ours. */
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
