import { type Need, valueText } from "../need.ts";

const PLAIN = { kind: "none", standard: 0 } as const;
/** Limits that `capabilities.peerLoss` promises, ms; `checks/server-dies.ts` asserts them. */
const NOTICE_MS = { immediate: 250, heartbeat: 1000 } as const;
const ONE_STARTS_THE_OTHER = "in one the ends are started separately, in the other one end starts the other";

/** Needs about operation: start, access, failure and restart. */
export const OPERATION: readonly Need[] = [
  {
    ...PLAIN,
    name: "persistent",
    why: "A sender that relies on a message that was taken does not send it again.",
    sentence: () => "keeps messages that were taken when the server dies, for its successor",
    excludes: ({ persistent }) => (persistent ? undefined : "loses what its server has not read when that dies"),
    checks: ["persistence"],
  },
  {
    ...PLAIN,
    name: "survives-restart",
    why: "Servers are deployed and crash; clients that must be restarted as well make it an outage.",
    sentence: () => "lets clients go on when their server is started again at the same address",
    excludes: ({ rendezvous }) =>
      rendezvous === "address" ? undefined : "has no address at which a new server could be found",
    checks: ["reconnect", "restart/after-kill", "restart/after-stop"],
  },
  {
    name: "peer-loss",
    kind: "duration",
    standard: 1000,
    why: "A failover begins only once somebody notices the death of a server.",
    sentence: (ms) => `notifies an idle client within ${valueText("duration", ms)} when its server has died`,
    excludes({ peerLoss }, ms) {
      if (peerLoss === "undetected") return "notices nothing: only deadlines of requests help";
      // The capabilities contain no figure for `immediate`; the check notes one.
      if (peerLoss === "immediate" || ms >= NOTICE_MS.heartbeat) return undefined;
      return `notices by a heartbeat, which may take ${valueText("duration", NOTICE_MS.heartbeat)}`;
    },
    checks: ["peer-loss"],
    figure: { check: "peer-loss", note: "noticedAfterMs", scale: 1 },
  },
  {
    ...PLAIN,
    name: "permissions",
    why: "On a shared machine every user can try every path, port and name.",
    sentence: () => "keeps out processes of other users",
    excludes: ({ auth }) => (auth.includes("permissions") ? undefined : "lets every user of the machine connect"),
    checks: ["permissions", "foreign-user"],
  },
  {
    ...PLAIN,
    name: "shared-key",
    why: "Processes of one user are not kept apart by permissions.",
    sentence: () => "asks a client for a key",
    excludes: ({ auth }) => (auth.includes("shared-key") ? undefined : "has no keys"),
    checks: ["wrong-key"],
  },
  {
    ...PLAIN,
    name: "independent",
    why: "Where the ends are started separately, neither can pass a descriptor to the other.",
    sentence: () => "connects ends that were started separately",
    excludes: ({ rendezvous }) =>
      rendezvous === "address" ? undefined : "connects a process only with one that it has started",
    checks: [],
    contradicts: { child: ONE_STARTS_THE_OTHER },
  },
  {
    ...PLAIN,
    name: "child",
    why: "A server that its only client starts needs no address, and ends with it.",
    sentence: () => "connects a process with a child that it starts, without an address",
    excludes: ({ rendezvous }) => (rendezvous === "parent" ? undefined : "needs an address that both ends know"),
    checks: ["server-dies"],
    contradicts: { independent: ONE_STARTS_THE_OTHER },
  },
  {
    name: "idle-cpu",
    kind: "share",
    standard: 0.01,
    why: "A server that polls costs a part of a CPU all night, and a battery.",
    sentence: (share) => `uses at most ${valueText("share", share)} of a CPU in a server that has nothing to do`,
    excludes: ({ modes }) => (modes[0] === "polling" ? "polls: an idle server uses a whole CPU" : undefined),
    checks: ["idle-cpu"],
    figure: { check: "idle-cpu", note: "serverIdlePercent", scale: 0.01 },
  },
];
