import type { Platform } from "../../transports/contract/capabilities.ts";
import type { Need } from "../need.ts";

const LISTED = new Intl.ListFormat("en", { type: "conjunction" });
const NAMES: Readonly<Record<Platform, string>> = { linux: "Linux", darwin: "macOS", win32: "Windows" };
/** Returns the name of a system; a module of a user may list any word, `constructor` too. */
const nameOf = (id: string): string => (Object.hasOwn(NAMES, id) ? NAMES[id as Platform] : id);
const WHY =
  "A program that ships on a system where its mechanism does not exist needs a second one, and tests for both.";

function platform(name: string, id: Platform): Need {
  return {
    name,
    kind: "none",
    standard: 0,
    why: WHY,
    sentence: () => `runs on ${NAMES[id]}`,
    excludes: ({ platforms }) =>
      platforms.includes(id) ? undefined : `runs on ${LISTED.format(platforms.map(nameOf))} only`,
    // A check can only examine the system on which it runs.
    checks: [],
  };
}

/** For each need, by its name: the name of the language, and other entries of `languages` that count too. */
const LANGUAGES: Readonly<Record<string, readonly [title: string, ...alike: string[]]>> = {
  python: ["Python"],
  c: ["C"],
  cpp: ["C++", "c"],
  csharp: ["C#"],
  go: ["Go"],
  java: ["Java"],
  rust: ["Rust"],
};

function language([name, [title, ...alike]]: readonly [string, readonly [string, ...string[]]]): Need {
  return {
    name,
    kind: "none",
    standard: 0,
    why: "A mechanism that only Node speaks ends at the first program of another team.",
    sentence: () => `can be spoken by a program in ${title}`,
    excludes({ languages }) {
      if (languages.some((each) => each === "any" || each === name || alike.includes(each))) return undefined;
      const others = languages.length === 0 ? "no other language" : `only ${languages.join(", ")}`;
      return `lists ${others} beside Node, not ${title}`;
    },
    checks: name === "python" ? ["other-languages"] : [],
  };
}

const NO_NATIVE = "does not state whether it runs native code (capabilities.native)";
const NO_PACKAGES = "does not state which packages it needs (capabilities.packages)";

/** Needs about the system, the language and the dependencies. */
export const PLACES: readonly Need[] = [
  platform("linux", "linux"),
  platform("macos", "darwin"),
  platform("windows", "win32"),
  ...Object.entries(LANGUAGES).map(language),
  {
    name: "pure-js",
    kind: "none",
    standard: 0,
    why: "Native code has to be built or shipped for every system and CPU, and a fault in it ends the whole process.",
    sentence: () => "runs no native code beside Node's own",
    excludes({ native, packages }) {
      if (native === undefined) return NO_NATIVE;
      if (!native) return undefined;
      return `runs native code${packages?.length ? `, of ${LISTED.format(packages)}` : ""}`;
    },
    checks: [],
  },
  {
    name: "no-dependency",
    kind: "none",
    standard: 0,
    why: "Each package or program is somebody else's release, licence and security notice to follow.",
    sentence: () => "needs no npm package beside Node itself, and no broker",
    excludes({ packages, broker }) {
      if (packages === undefined) return NO_PACKAGES;
      if (broker !== undefined) return `needs ${LISTED.format([...packages, `the broker ${broker}`])}`;
      return packages.length === 0 ? undefined : `needs ${LISTED.format(packages)}`;
    },
    checks: [],
  },
];
