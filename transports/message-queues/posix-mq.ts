import { fstatSync } from "node:fs";
import type { Capabilities } from "../contract/capabilities.ts";
import { IpcError } from "../contract/errors.ts";
import type { Address, OsObject, Transport } from "../contract/transport.ts";
import { posixAvailability } from "../posix/binding.ts";
import { MessageQueue } from "../posix/message-queue.ts";
import { localQueueCapabilities } from "../support/capabilities.ts";
import { distinctName } from "../support/distinct-name.ts";
import { checkOptions } from "../support/opening.ts";
import type { SteppedTransport } from "../support/polled-event.ts";
import { type QueueBudget, queueBudget } from "./budget.ts";
import { connectQueue, QueueOpening } from "./client.ts";
import { namesOf, PREFIX_BYTES, removeNames } from "./protocol.ts";
import { QueueServer } from "./server.ts";

const ID = "posix-mq";
/** Sizes from the limits, which are read once because the capabilities are constant after the module has loaded. */
export const budget: QueueBudget = queueBudget();

export function queueCapabilities(mode: "blocking" | "event"): Capabilities {
  return localQueueCapabilities({
    modes: [mode],
    boundaries: "kernel",
    maxMessageBytes: budget.messageBytes - PREFIX_BYTES,
    maxClients: budget.maxClients,
    maxInFlight: budget.replyDepth,
  });
}

/** Builds the common parts of all ids of this folder: names, probing and cleaning up. */
export function queueNames(id: string): Pick<Transport, "probe" | "allocate" | "residue" | "sweep"> {
  return {
    async probe() {
      const availability = posixAvailability();
      if (!availability.available) return availability;
      if (budget.shortage !== undefined) return { available: false, reason: budget.shortage };
      return { available: true, version: `${availability.version}, ${budget.receipt}` };
    },
    async allocate({ prefix }) {
      return { transport: id, name: `/${prefix}-${distinctName()}` };
    },
    async residue({ name }: Address) {
      if (!posixAvailability().available) return [];
      return namesOf(name)
        .map(inspect)
        .filter((object): object is OsObject => object !== undefined);
    },
    async sweep({ name }: Address) {
      if (posixAvailability().available) removeNames(name);
    },
  };
}

/** Opens the queue to inspect it, because /dev/mqueue need not be mounted. */
function inspect(name: string): OsObject | undefined {
  try {
    const queue = MessageQueue.open(name);
    try {
      return { kind: "queue", name, mode: fstatSync(queue.fd).mode & 0o777 };
    } finally {
      queue.close();
    }
  } catch (error) {
    if (error instanceof IpcError && error.errno === "ENOENT") return undefined;
    throw error;
  }
}

const blocking: SteppedTransport = {
  listen(address, options) {
    checkOptions(ID, options);
    return new QueueServer(ID, budget, address);
  },
  connect(address, timeoutMs, options) {
    checkOptions(ID, options);
    return connectQueue(ID, budget, address, timeoutMs);
  },
  begin: (address, timeoutMs) => new QueueOpening(ID, budget, address, timeoutMs),
};

/** POSIX message queues; a call that waits sleeps in the kernel. */
export const posixMq: Transport = {
  id: ID,
  capabilities: queueCapabilities("blocking"),
  ...queueNames(ID),
  peers: { python: ["python3", "peer.py"] },
  clients: { python: ["python3", "client.py"] },
  blocking,
};
