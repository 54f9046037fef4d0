import type { Check } from "../../transports/contract/check.ts";
import { cleanup } from "./cleanup.ts";
import { concurrentClients } from "./concurrent-clients.ts";
import { connectionChurn } from "./connection-churn.ts";
import { largeByDescriptor, largeMessages } from "./large-messages.ts";
import { reconnect } from "./reconnect.ts";
import { restart } from "./restart.ts";
import { sequentialRequests } from "./sequential-requests.ts";
import { peerLoss, serverDies } from "./server-dies.ts";
import { endOfFile, gracefulShutdown } from "./shutdown.ts";
import { frozenServer, stalledServer } from "./stalled-server.ts";

export const SCENARIOS: readonly Check[] = [
  sequentialRequests,
  ...concurrentClients,
  connectionChurn,
  largeMessages,
  largeByDescriptor,
  stalledServer,
  frozenServer,
  serverDies,
  peerLoss,
  reconnect,
  gracefulShutdown,
  endOfFile,
  ...restart,
  ...cleanup,
];
