import { HEADER_BYTES } from "../../transports/contract/frame.ts";
import { type Condition, JSON_BYTES } from "../check.ts";

/** Holds if the server is our own and has all of `Method`. A user's program only replies to requests. */
export const hasMethods: Condition = (_, { program }) =>
  program === undefined || "the server is a program of the user's";
export const hasEventFace: Condition = (_, transport) => transport.event !== undefined || "there is no event face";
export const hasBlockingFace: Condition = (_, transport) =>
  transport.blocking !== undefined || "there is no blocking face";
/** Holds if both ends can be opened, and so observed, in the process of the check. */
export const inOneProcess: Condition = ({ rendezvous, modes }, transport) => {
  if (transport.event === undefined) return "there is no event face";
  if (modes[0] !== "event") return "its calls block: two ends in one thread would wait for each other";
  return rendezvous !== "parent" || "the peer is launched, so its end cannot be watched from here";
};
export const hasAddress: Condition = ({ rendezvous }) =>
  rendezvous === "address" || "each peer belongs to one client, and no other client can reach it";
/** Holds if the client starts the peer's process, and the connection with it. */
export const isLaunched: Condition = ({ rendezvous }, transport) =>
  (rendezvous === "parent" && transport.event?.launch !== undefined) || "the peer is not launched by its parent";
export const ownProcess: Condition = ({ rendezvous }) =>
  rendezvous !== "process" || "both ends live in one process, so neither can fail alone";
export const canFreeze: Condition = () =>
  process.platform !== "win32" || "Windows has no SIGSTOP: no process can be stopped from outside";
/** Holds if requests can be kept in flight. Our servers delay a reply; a user's program is stopped for that. */
export const holdsRequests: Condition = (capabilities, transport) =>
  transport.program === undefined || canFreeze(capabilities, transport);
/** Holds if a signal can ask a process to end, so that it can clean up. */
export const canAskToEnd: Condition = () =>
  process.platform !== "win32" || "Windows has no SIGTERM: a process ended from outside runs nothing of its own";

export const replies: Condition = ({ patterns }) => patterns.includes("request-reply") || "this pattern has no replies";
/** Holds if a server can show that it is alive, by replies or by publications. */
export const repliesOrPublishes: Condition = (capabilities, transport) =>
  capabilities.patterns.includes("fan-out") || replies(capabilities, transport);
export const oneWay: Condition = ({ patterns }) =>
  patterns.includes("one-way") || "it has no one-way messages: every message is a request that needs a reply";
export const reliable: Condition = ({ delivery }) => delivery === "reliable" || "lossy by its own account";
export const pipelined: Condition = ({ maxInFlight }) =>
  maxInFlight > 1 || "it allows one request at a time (lockstep)";
export const pushesBack: Condition = ({ backpressure }) =>
  backpressure !== "none" || "without back-pressure by its own account: messages are dropped instead";
export const lossIsNoticed: Condition = ({ peerLoss }) =>
  peerLoss !== "undetected" ||
  "it declares that a client does not notice when the server dies (peerLoss: undetected); a client needs deadlines";
export const takesKeys: Condition = ({ auth }) =>
  auth.includes("shared-key") || "it has no keys, so no key can be wrong (no shared-key in its auth)";
export const hasRawClient: Condition = (_, transport) =>
  transport.connectRaw !== undefined ||
  (transport.launchRaw === undefined
    ? "a client of this mechanism cannot send raw bytes, only whole messages"
    : "only the launched child can write to it; the check hostile-bytes makes the child write invalid bytes");

function carriesAnswer(method: keyof typeof JSON_BYTES): Condition {
  return (capabilities, transport) => {
    const { maxMessageBytes } = capabilities;
    if (transport.program !== undefined) return hasMethods(capabilities, transport);
    const fits = maxMessageBytes >= HEADER_BYTES + JSON_BYTES[method];
    return fits || `messages of ${maxMessageBytes} bytes are too small for the statistics of the server`;
  };
}

export const reportsStatistics: Condition = carriesAnswer("statistics");
/** Holds if the usage of the server is known: it reports its usage, or it is a user's program, read from outside. */
export const isWatched: Condition = (capabilities, transport) =>
  transport.program !== undefined || reportsStatistics(capabilities, transport);
export const reportsTotals: Condition = carriesAnswer("streamTotals");

/** Holds if `connectFor` can have this many requests outstanding over all allowed connections. */
export function canHaveOutstanding(requests: number): Condition {
  return ({ maxInFlight, maxClients, rendezvous }) => {
    const most = maxInFlight * (rendezvous === "address" ? maxClients : 1);
    return most >= requests || `at most ${most} requests can be outstanding, and it takes ${requests}`;
  };
}
