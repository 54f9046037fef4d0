import type { Check } from "../check.ts";
import { slowClient, slowServer } from "./back-pressure.ts";
import { cleanup } from "./cleanup.ts";
import { concurrentClients } from "./concurrent-clients.ts";
import { connectionChurn } from "./connection-churn.ts";
import { containerSharing } from "./container.ts";
import { exactlyOnceReplies } from "./exactly-once.ts";
import { boundaryKeeper, fragmentation } from "./fragmentation.ts";
import { connectionFlood, foreignUser, hostileBytes, hostileMessage, slowLoris, wrongKey } from "./hostile.ts";
import { idleCpu } from "./idle-cpu.ts";
import { largeByDescriptor, largeMessages } from "./large-messages.ts";
import { oneWayOrder, persistence } from "./one-way.ts";
import { fanOut, otherLanguages } from "./others.ts";
import { permissions } from "./permissions.ts";
import { busyServer, messageBoundaries, pipelining, workerPool } from "./pipelining.ts";
import { reconnect } from "./reconnect.ts";
import { restart } from "./restart.ts";
import { sequentialRequests } from "./sequential-requests.ts";
import { peerLoss, serverDies } from "./server-dies.ts";
import { endOfFile, gracefulShutdown } from "./shutdown.ts";
import { frozenServer, stalledServer } from "./stalled-server.ts";

/** Scenarios in the order of the checklist; README.md has it as a table. */
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
  exactlyOnceReplies,
  gracefulShutdown,
  endOfFile,
  ...restart,
  hostileBytes,
  hostileMessage,
  slowLoris,
  connectionFlood,
  wrongKey,
  foreignUser,
  permissions,
  idleCpu,
  fragmentation,
  boundaryKeeper,
  messageBoundaries,
  oneWayOrder,
  persistence,
  pipelining,
  workerPool,
  busyServer,
  slowServer,
  slowClient,
  fanOut,
  otherLanguages,
  ...cleanup,
];

/** Scenarios that run only when they are named: they take long, and their results are findings. */
export const NAMED_SCENARIOS: readonly Check[] = [containerSharing];
