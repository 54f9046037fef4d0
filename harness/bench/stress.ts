import { refuse } from "./options.ts";

/**
 * `npm run stress`: long runs that try to break what the tests only touch. A flag of the table
 * chooses one; without any: the ring. Each file parses its own options and exits with 1 when it has findings.
 */
const SOAKS: Readonly<Record<string, () => Promise<unknown>>> = {
  starts: () => import("./stress/starts.ts"),
  frames: () => import("./stress/frames.ts"),
  kills: () => import("./stress/kills.ts"),
};
const given = process.argv.slice(2).map((argument) => argument.split("=", 1)[0]);
const chosen = Object.keys(SOAKS).filter((name) => given.includes(`--${name}`));
if (chosen.length > 1) refuse(`--${chosen.join(" and --")} are different soaks: give one of them`);

const known = [...Object.keys(SOAKS), "seconds", "transport", "ring-bytes"];
const wrong = given.find((argument) => argument?.startsWith("--") && !known.includes(argument.slice(2)));
if (chosen.length === 0 && wrong !== undefined) {
  refuse(
    `${wrong} is no soak; give --starts <n>, --kills <n>, --frames <n>, or --seconds <n> for the ring of shared memory`,
  );
}

const load = SOAKS[chosen[0] ?? ""] ?? ((): Promise<unknown> => import("./stress/ring.ts"));
await load();
