import type { Transport } from "../contract/transport.ts";
import { agreedTransport } from "./agreed-transport.ts";
import { DoorbellConnection, RING_BYTES } from "./doorbell.ts";
import { passedMemory } from "./memfd-meeting.ts";
import { largestMessage } from "./ring.ts";

const ID = "shm/memfd";
/** Each costs the server 8 MiB, which no limit of a file system bounds: together 96 MiB. */
const MAX_CLIENTS = 12;

/** The rings of `shm/doorbell`, in memory without a name whose descriptor the client passes to the server. */
export const shmMemfd: Transport = agreedTransport(
  { id: ID, capacity: RING_BYTES, maxClients: MAX_CLIENTS },
  { maxMessageBytes: largestMessage(RING_BYTES), boundaries: "prefix" },
  (agreed, handler, onEnd) => new DoorbellConnection(ID, agreed, handler, onEnd),
  passedMemory,
);
