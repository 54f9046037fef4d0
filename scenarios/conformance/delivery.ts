import { setTimeout as delay } from "node:timers/promises";
import { isIpcError } from "../../transports/contract/errors.ts";
import type { Connection } from "../../transports/contract/transport.ts";
import type { Check, CheckContext, Sender, SenderOutcome, SenderPlan } from "../check.ts";
import { hasAddress, hasEventFace, isLaunched, reliable } from "../kit/conditions.ts";
import { expect, within } from "../kit/expect.ts";
import { numberOf } from "../kit/messages.ts";
import { eventFace, fill, withServer } from "../kit/one-process.ts";
import { Recorder } from "../kit/recorder.ts";

/** Pause, ms: longer than any library goes on delivering when its process exits (ZeroMQ does for a second here). */
const PAUSE_MS = 1300;
const SEND_MS = 200;
const MESSAGES = 600;
const BODY_BYTES = 20_000;
/** Size of all requests together: more than the kernel holds for a server that does not read. */
const REQUESTS_BYTES = 4 * 1024 * 1024;
/** Limit of `close` (with its default limit) together with the exit of the process after it, ms. */
const EXIT_LIMIT_MS = 15_000;

const CLAIM = {
  why: "A job that writes its results and exits is the commonest sender; nobody repeats what it counts as delivered.",
  typicalMs: 2200,
  timeoutMs: 40_000,
} as const;

/** Checks that messages arrive although the process of their sender is gone. */
export const delivery: readonly Check[] = [
  {
    ...CLAIM,
    id: "delivery/exit-after-close",
    title:
      "Messages that send took reach a slow reader although the sender closes and its process exits, or close fails",
    needs: [hasEventFace, hasAddress, reliable],
    async run(context) {
      const { patterns } = context.transport.capabilities;
      if (patterns.includes("one-way")) await Promise.all([clientExits(context), serverExits(context)]);
      else await requesterExits(context);
    },
  },
  {
    ...CLAIM,
    id: "delivery/launched",
    title: "Messages between parent and child reach a slow reader although the sender closes, or close fails",
    needs: [isLaunched, reliable],
    async run(context) {
      // A child that only answers requests sends nothing of its own.
      const sends = context.transport.capabilities.patterns.includes("one-way");
      await Promise.all([sends ? childExits(context) : undefined, parentCloses(context)]);
    },
  },
];

/** A reader that pauses at its first message, and then reads on. */
class SlowReader extends Recorder {
  readonly numbers: Set<number> = new Set();

  constructor(name: string) {
    super(name);
    this.keeps = false;
    this.whenMessage = (message, connection) => this.#take(message, connection);
  }

  #take(message: Uint8Array, connection: Connection): void {
    this.numbers.add(numberOf(message, true));
    if (this.received > 1) return;
    connection.pause();
    void delay(PAUSE_MS).then(() => connection.resume());
  }
}

/** Replies to each request with its number. */
class Answerer extends Recorder {
  readonly numbers: Set<number> = new Set();

  constructor() {
    super("the server");
    this.keeps = false;
    this.whenMessage = (message, connection) => {
      this.numbers.add(numberOf(message, true));
      connection.send(message.subarray(0, 4));
    };
  }
}

function planOf(context: CheckContext, side: SenderPlan["side"], address: SenderPlan["address"]): SenderPlan {
  return { side, address, bodyBytes: bodyBytesOf(context, BODY_BYTES), messages: MESSAGES, sendMs: SEND_MS };
}

function bodyBytesOf(context: CheckContext, wanted: number): number {
  return Math.min(wanted, context.transport.capabilities.maxMessageBytes);
}

async function clientExits(context: CheckContext): Promise<void> {
  const reader = new SlowReader("the server");
  await withServer(context, reader, async (server) => {
    await judge(context, reader, await context.startSender(planOf(context, "client", server.address)), "client");
  });
}

async function serverExits(context: CheckContext): Promise<void> {
  const reader = new SlowReader("the client");
  const sender = await context.startSender(planOf(context, "server", await context.allocate()));
  const client = await within("connect", eventFace(context).connect(sender.address, reader));
  await judge(context, reader, sender, "server");
  await within("close of the client", client.close(500)).catch(() => undefined);
}

/** Sends as many requests as allowed to a server that reads none for a while; `pause` could not make it do that. */
async function requesterExits(context: CheckContext): Promise<void> {
  const server = new Answerer();
  const messages = Math.min(MESSAGES, context.transport.capabilities.maxInFlight);
  const bodyBytes = bodyBytesOf(context, Math.max(BODY_BYTES, Math.ceil(REQUESTS_BYTES / messages)));
  await withServer(context, server, async ({ address }) => {
    const sender = await context.startSender({ ...planOf(context, "client", address), messages, bodyBytes });
    await judge(context, server, sender, "client", () => blockThread(PAUSE_MS));
  });
}

function blockThread(forMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
}

async function childExits(context: CheckContext): Promise<void> {
  const reader = new SlowReader("the parent");
  const plan = planOf(context, "server", await context.allocate());
  await judge(context, reader, await context.startSender(plan, reader), "child");
}

async function parentCloses(context: CheckContext): Promise<void> {
  const parent = new Recorder("the parent");
  const plan = planOf(context, "server", await context.allocate());
  const child = await context.startSender({ ...plan, messages: 0, readsAfterMs: PAUSE_MS }, parent);
  child.begin();
  const [connection] = parent.connections;
  expect(connection !== undefined, "launch resolved and onOpen was not called");
  const taken = await fill(parent, connection, plan.bodyBytes);
  context.note("parentSent", taken);
  const close = await within("close of the parent", connection.close().then(resolved, codeOf), EXIT_LIMIT_MS);
  context.note("parentClose", close);
  const { received } = await within("the end of the child", child.outcome, EXIT_LIMIT_MS);
  expectArrived(taken, received, close);
}

const resolved = (): SenderOutcome["close"] => "resolved";

function codeOf(error: unknown): SenderOutcome["close"] {
  if (isIpcError(error)) return error.code;
  throw error;
}

async function judge(
  context: CheckContext,
  reader: SlowReader | Answerer,
  sender: Sender,
  role: string,
  whileItSends: () => void = () => {},
): Promise<void> {
  sender.begin();
  whileItSends();
  const { taken, close } = await within("the exit of the sender", sender.outcome, EXIT_LIMIT_MS);
  context.note(`${role}Sent`, taken);
  context.note(`${role}Close`, close);
  if (close === "resolved") {
    await reader.until("all that was sent", () => reader.numbers.size >= taken).catch(() => undefined);
  }
  expectArrived(taken, reader.numbers.size, close);
}

function expectArrived(taken: number, arrived: number, close: SenderOutcome["close"]): void {
  if (close === "resolved") {
    expect(arrived === taken, `${taken} messages were taken and close resolved, but ${arrived} arrived`);
  } else {
    expect(close === "IPC_TIMEOUT", `close of the sender failed with ${close}`);
  }
}
