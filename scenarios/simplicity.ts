import type { Capabilities } from "../transports/contract/capabilities.ts";

/** One reason to prefer one of several mechanisms whose difference in speed does not matter. */
export interface Criterion {
  readonly name: string;
  readonly why: string;
  /** Cost of a mechanism; smaller is simpler. */
  readonly cost: (capabilities: Capabilities) => number;
  /** Returns words for the simpler mechanism, as the end of a sentence. */
  readonly words: (capabilities: Capabilities) => string;
}

/** Number of clients above which differences do not count. */
const MANY_CLIENTS = 1000;
/** Cost if packages are not stated: as if one were needed, since missing evidence must not make a mechanism simpler. */
const UNSTATED_PACKAGES = 1;

/**
 * The order of simplicity: the first criterion in which two mechanisms differ decides. The highest and longest costs
 * for a team come first: a second program for another system, a broker, installation and updates, growth, own code.
 */
export const SIMPLICITY: readonly Criterion[] = [
  {
    name: "platforms",
    why: "Each system that a mechanism does not run on needs a second mechanism, with its own tests and faults.",
    cost: ({ platforms }) => -platforms.length,
    words: ({ platforms }) => `runs on ${platforms.length === 1 ? "one system" : `${platforms.length} systems`}`,
  },
  {
    name: "broker",
    why: "A broker is one more program to install, start, watch and update, and both ends stop when it does.",
    cost: ({ broker }) => (broker === undefined ? 0 : 1),
    words: ({ broker }) => (broker === undefined ? "needs no broker" : `needs the broker ${broker}`),
  },
  {
    name: "packages",
    why: "A package is installed, audited and updated for as long as the program lives.",
    cost: ({ packages }) => packages?.length ?? UNSTATED_PACKAGES,
    words: ({ packages }) =>
      packages?.length === 0 ? "needs no package" : `needs ${packages?.join(", ") ?? "packages"}`,
  },
  {
    name: "native code",
    why: "Native code is built or downloaded for each system, and its faults end the process.",
    cost: ({ native }) => (native === false ? 0 : 1),
    words: ({ native }) => (native === false ? "runs no native code beside Node's own" : "runs native code"),
  },
  {
    name: "clients",
    why: "A limit on clients is met after the program has become a success.",
    cost: ({ maxClients }) => -Math.min(maxClients, MANY_CLIENTS),
    words: ({ maxClients }) => `serves ${maxClients === 1 ? "one client" : `${maxClients} clients`}`,
  },
  {
    name: "access",
    why: "A mechanism with file permissions keeps other users out without a line of code.",
    cost: ({ auth }) => (auth.includes("permissions") ? 0 : 1),
    words: ({ auth }) =>
      auth.includes("permissions") ? "keeps other users out by permissions" : "lets any local user connect",
  },
  {
    name: "traces",
    why: "Objects that outlive their process must be found and removed after a crash.",
    cost: ({ rendezvous, persistent }) => (persistent ? 2 : rendezvous === "address" ? 1 : 0),
    words: ({ persistent }) => (persistent ? "leaves messages behind a crash" : "leaves at most a name behind a crash"),
  },
  {
    name: "framing",
    why: "Without message boundaries a team writes and tests that code itself.",
    cost: ({ boundaries }) => (boundaries === "prefix" ? 1 : 0),
    words: ({ boundaries }) => (boundaries === "prefix" ? "needs a length prefix" : "keeps message boundaries"),
  },
];

/** Result of a comparison by simplicity. */
export interface Simpler {
  /** Negative if the first is simpler, positive if the second is, 0 if they differ in no criterion. */
  readonly order: number;
  /** The criterion that decided; undefined if none did. */
  readonly criterion?: Criterion;
}

/** Compares the capabilities of two mechanisms by {@link SIMPLICITY}. */
export function compareSimplicity(one: Capabilities, other: Capabilities): Simpler {
  for (const criterion of SIMPLICITY) {
    const order = criterion.cost(one) - criterion.cost(other);
    if (order !== 0) return { order, criterion };
  }
  return { order: 0 };
}
