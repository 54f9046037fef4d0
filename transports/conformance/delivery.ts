import { setTimeout as delay } from "node:timers/promises";
import type { Check, CheckContext, Sender, SenderPlan } from "../contract/check.ts";
import type { Connection } from "../contract/transport.ts";
import {
  defineCase,
  eventFace,
  expect,
  hasAddress,
  inOneProcess,
  oneWay,
  Recorder,
  reliable,
  within,
  withServer,
} from "./kit.ts";

/** Longer than any library goes on delivering by itself after an exit; ZeroMQ lingers for a second here. */
const PAUSE_MS = 1300;
const SEND_MS = 200;
const MESSAGES = 600;
const BODY_BYTES = 20_000;
/** The default limit of `close`, and the exit of a process after it. */
const EXIT_LIMIT_MS = 15_000;

/** What arrives when the sender's process is gone. */
export const delivery: readonly Check[] = [
  defineCase({
    id: "delivery/exit-after-close",
    title: "What send took reaches a slow reader although the sender closes and its process exits, or close fails",
    why: "A job that writes its results and exits is the commonest sender; what it believes delivered nobody sends again.",
    typicalMs: 2200,
    timeoutMs: 40_000,
    needs: [inOneProcess, hasAddress, oneWay, reliable],
    async run(context) {
      await Promise.all([clientExits(context), serverExits(context)]);
    },
  }),
];

/** Pauses at its first message, and then reads on. */
class SlowReader extends Recorder {
  readonly numbers: Set<number> = new Set();

  constructor(name: string) {
    super(name);
    this.keeps = false;
    this.whenMessage = (message, connection) => this.#take(message, connection);
  }

  #take(message: Uint8Array, connection: Connection): void {
    this.numbers.add(new DataView(message.buffer, message.byteOffset).getUint32(0, true));
    if (this.received > 1) return;
    connection.pause();
    void delay(PAUSE_MS).then(() => connection.resume());
  }
}

function planOf(context: CheckContext, side: SenderPlan["side"], address: SenderPlan["address"]): SenderPlan {
  const bodyBytes = Math.min(BODY_BYTES, context.transport.capabilities.maxMessageBytes);
  return { side, address, bodyBytes, messages: MESSAGES, sendMs: SEND_MS };
}

async function clientExits(context: CheckContext): Promise<void> {
  const reader = new SlowReader("the server");
  await withServer(context, reader, async (server) => {
    await judge(context, reader, await context.startSender(planOf(context, "client", server.address)));
  });
}

async function serverExits(context: CheckContext): Promise<void> {
  const reader = new SlowReader("the client");
  const sender = await context.startSender(planOf(context, "server", await context.allocate()));
  const client = await within("connect", eventFace(context).connect(sender.address, reader));
  await judge(context, reader, sender);
  await within("close of the client", client.close(500)).catch(() => undefined);
}

async function judge(context: CheckContext, reader: SlowReader, sender: Sender): Promise<void> {
  const { taken, close } = await within("the exit of the sender", sender.outcome, EXIT_LIMIT_MS);
  context.note(`${reader.name === "the server" ? "client" : "server"}Sent`, taken);
  if (close !== "resolved") {
    expect(close === "IPC_TIMEOUT", `close of the sender failed with ${close}`);
    return;
  }
  const seen = (): string => `${taken} messages were taken and close resolved, but ${reader.numbers.size} arrived`;
  await reader.until("all that was sent", () => reader.numbers.size >= taken).catch(() => undefined);
  expect(reader.numbers.size === taken, seen());
}
