import { constants } from "node:os";
import { IpcError } from "../contract/errors.ts";
import type { Transport } from "../contract/transport.ts";
import type { MessageQueue } from "../posix/message-queue.ts";
import { checkOptions } from "../support/opening.ts";
import { type Limits, PolledEventConnection, PolledEventServer, type PollSchedule } from "../support/polled-event.ts";
import { type QueueClient, QueueOpening } from "./client.ts";
import { budget, queueCapabilities, queueNames } from "./posix-mq.ts";
import { QueueServer } from "./server.ts";

const ID = "posix-mq/notify";
/**
 * The signal that `mq_notify` sends. It is ignored by default, so that a late one does no harm. And programs do not use
 * it for their own purposes, unlike the user signals.
 */
const SIGNAL = "SIGURG";
const CONNECT_TIMEOUT_MS = 5000;
const CONNECT_STEP_MS = 2;
/** Time between two checks if the other side lives. */
const HEARTBEAT_MS = 50;
/** Turns of the loop before a timer takes over: nothing announces that a queue has room again. */
const HURRIED_TURNS = 20;
const RETRY_MS = 1;

/** Runs `turn` when the kernel signals a message in the empty queue. */
class SignalSchedule implements PollSchedule {
  readonly #queue: MessageQueue;
  #turn: () => boolean = () => false;
  #heartbeat: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #retry: NodeJS.Timeout | undefined;
  #hurried = 0;
  #stopped = false;
  readonly #onSignal = (): void => this.#drain();

  constructor(queue: MessageQueue) {
    this.#queue = queue;
  }

  start(turn: () => boolean): void {
    this.#turn = turn;
    process.on(SIGNAL, this.#onSignal);
    this.#heartbeat = setInterval(this.#onSignal, HEARTBEAT_MS);
    this.#again();
  }

  hurry(): void {
    if (this.#stopped) return;
    if (++this.#hurried <= HURRIED_TURNS) this.#again();
    else this.#retry ??= setTimeout(this.#onRetry, RETRY_MS);
  }

  readonly #onRetry = (): void => {
    this.#retry = undefined;
    this.#hurried = 0;
    this.#drain();
  };

  stop(): void {
    this.#stopped = true;
    process.off(SIGNAL, this.#onSignal);
    clearInterval(this.#heartbeat);
    clearTimeout(this.#retry);
    clearImmediate(this.#immediate);
  }

  #again(): void {
    this.#immediate ??= setImmediate(this.#onImmediate);
  }

  readonly #onImmediate = (): void => {
    this.#immediate = undefined;
    this.#drain();
  };

  #drain(): void {
    if (this.#stopped) return;
    // A request gives one signal, and only for a message that finds the queue empty. So request again first, then empty
    // the queue. Only one process may request per queue, so "already requested" means that our own request stands.
    this.#queue.notify(constants.signals[SIGNAL]);
    if (this.#turn()) this.#again();
  }
}

/** Returns the limits of a client, with the sizes of its server. */
const limitsOf = ({ replies }: QueueClient): Limits => ({ id: ID, maxMessageBytes: replies.shape.maxMessageBytes });
const limits = { id: ID, maxMessageBytes: budget.messageBytes };

async function open(opening: QueueOpening, signal: AbortSignal | undefined): Promise<QueueClient> {
  for (;;) {
    const client = opening.step(0);
    if (client !== undefined) return client;
    await new Promise((resolve) => setTimeout(resolve, CONNECT_STEP_MS));
    if (signal?.aborted) {
      opening.abandon();
      throw new IpcError("IPC_ABORTED", `${ID}: aborted`, { transport: ID });
    }
  }
}

/** POSIX message queues for event loops: the kernel sends a signal when a message comes to an empty queue. */
export const posixMqNotify: Transport = {
  activeWhenIdle: true,
  id: ID,
  capabilities: queueCapabilities("event"),
  ...queueNames(ID),
  event: {
    async listen(address, handler, options) {
      checkOptions(ID, options);
      const server = new QueueServer(ID, budget, address);
      return new PolledEventServer(limits, server, handler, new SignalSchedule(server.requests));
    },
    async connect(address, handler, options) {
      checkOptions(ID, options);
      const client = await open(new QueueOpening(ID, budget, address, CONNECT_TIMEOUT_MS), options?.signal);
      const connection = new PolledEventConnection(
        limitsOf(client),
        client,
        handler,
        new SignalSchedule(client.replies),
      );
      handler.onOpen(connection);
      connection.start();
      return connection;
    },
  },
};
