/** Rules that a user's transport must follow before it is used. */
import type { Capabilities } from "../../transports/contract/capabilities.ts";
import { HEADER_BYTES } from "../../transports/contract/frame.ts";
import type {
  BlockingTransport,
  EventTransport,
  ServerProgram,
  TransportDescription,
} from "../../transports/contract/transport.ts";
import {
  type Fields,
  flag,
  integer,
  isObject,
  listOf,
  must,
  oneOf,
  optional,
  type Rule,
  recordOf,
  shape,
  text,
} from "./rules.ts";

const LONGEST_ID = 80;
/** Allowed ids: no spaces, no control characters, no characters that change the direction or look of others. */
const ID = new RegExp(`^[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}]{1,${LONGEST_ID}}$`, "u");

const method = must("a function", (value) => typeof value === "function");

const capabilities = shape<Capabilities>({
  modes: listOf(oneOf("event", "blocking", "polling"), 1),
  patterns: listOf(oneOf("request-reply", "one-way", "fan-out"), 1),
  rendezvous: oneOf("address", "parent", "process"),
  boundaries: oneOf("kernel", "library", "prefix"),
  delivery: oneOf("reliable", "lossy"),
  ordering: oneOf("fifo", "none"),
  maxMessageBytes: integer(HEADER_BYTES),
  maxClients: integer(1),
  maxInFlight: integer(1),
  connects: oneOf("checked", "lazy"),
  backpressure: oneOf("native", "outbox", "none"),
  peerLoss: oneOf("immediate", "heartbeat", "undetected"),
  auth: listOf(oneOf("permissions", "shared-key")),
  persistent: flag,
  platforms: listOf(oneOf("linux", "darwin", "win32")),
  languages: listOf(text),
  packages: optional(listOf(text)),
  native: optional(flag),
  broker: optional(text),
});

const anything: Rule = () => undefined;
const data: Fields<TransportDescription> = {
  id: must(
    `1 to ${LONGEST_ID} printable characters without spaces, and not "all"`,
    (value) => typeof value === "string" && ID.test(value) && value !== "all",
  ),
  capabilities,
  sameAs: optional(text),
  event: optional(recordOf(anything)),
  blocking: optional(recordOf(anything)),
  activeWhenIdle: optional(flag),
  usesStandardOutput: optional(flag),
  peers: optional(recordOf(listOf(text, 1))),
  clients: optional(recordOf(listOf(text, 1))),
  program: optional(recordOf(anything)),
  connectRaw: anything,
  launchRaw: anything,
};
const described = shape<TransportDescription>(data);

const complete = shape<TransportDescription & Record<"probe" | "allocate" | "residue" | "sweep", unknown>>({
  ...data,
  probe: method,
  allocate: method,
  residue: method,
  sweep: method,
  connectRaw: optional(method),
  launchRaw: optional(method),
  event: optional(shape<EventTransport>({ listen: method, connect: method, launch: optional(method) })),
  blocking: optional(shape<BlockingTransport>({ listen: method, connect: method, launch: optional(method) })),
  program: optional(shape<ServerProgram>({ start: method })),
});

const available = shape<{ available: true; version: string }>({ available: flag, version: text });
const unavailable = shape<{ available: false; reason: string }>({ available: flag, reason: text });

/** Returns why a value is no transport with all its functions; undefined when it is one. */
export function transportDefect(value: unknown): string | undefined {
  return complete(value, "") ?? faceDefect(value as TransportDescription);
}

/** Returns why a value from another process is no description of a transport; undefined when it is one. */
export function descriptionDefect(value: unknown): string | undefined {
  return described(value, "") ?? faceDefect(value as TransportDescription);
}

/** Returns why a value is no answer of a probe; undefined when it is one. */
export function availabilityDefect(value: unknown): string | undefined {
  return (isObject(value) && value["available"] === true ? available : unavailable)(value, "the answer");
}

/** Returns the description of a transport without its functions. */
export function describeTransport(transport: TransportDescription): TransportDescription {
  const { id, capabilities, sameAs, event, blocking, peers, program, connectRaw, launchRaw } = transport;
  const { activeWhenIdle, clients, usesStandardOutput } = transport;
  return {
    id,
    capabilities,
    ...(sameAs === undefined ? {} : { sameAs }),
    ...(event === undefined ? {} : { event: event.launch === undefined ? {} : { launch: true } }),
    ...(blocking === undefined ? {} : { blocking: {} }),
    ...(activeWhenIdle === true ? { activeWhenIdle } : {}),
    ...(usesStandardOutput === true ? { usesStandardOutput } : {}),
    ...(peers === undefined ? {} : { peers }),
    ...(clients === undefined ? {} : { clients }),
    ...(program === undefined ? {} : { program: {} }),
    ...(connectRaw === undefined ? {} : { connectRaw: true }),
    ...(launchRaw === undefined ? {} : { launchRaw: true }),
  };
}

/** Returns a defect if both faces are missing. Checks find all other false claims. */
function faceDefect({ event, blocking }: TransportDescription): string | undefined {
  const isFaceless = event === undefined && blocking === undefined;
  return isFaceless ? "event and blocking are both missing, and one must be there" : undefined;
}
