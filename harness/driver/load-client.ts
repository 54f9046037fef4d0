import type { Transport } from "../../transports/contract/transport.ts";
import type { Control } from "../process/control.ts";
import type { DriverStart, FromDriver, LoadWork, ToDriver } from "../process/messages.ts";
import { readUsage, watchGarbageCollection } from "../process/usage.ts";
import { connectRpc } from "../rpc/connect.ts";
import type { PreparedModel, Wire } from "./models/model.ts";
import { pingPongOver } from "./models/ping-pong.ts";

const CONNECT_TIMEOUT_MS = 10_000;

/** One client process of `fan-in`: connects, says so, and runs a window for every `go`. */
export async function runLoadClient(
  transport: Transport,
  start: DriverStart,
  work: LoadWork,
  control: Control<ToDriver, FromDriver>,
): Promise<void> {
  watchGarbageCollection();
  const wire = await openWire(transport, start, work);
  const model = pingPongOver(wire, work.payloadBytes);
  control.send({ type: "load-ready" });
  for (;;) {
    const message = await control.next(["go", "end-load"]);
    if (message.type === "end-load") break;
    await runWindow(model, message.messages, control);
  }
  if (wire.face === "event") await wire.client.close();
  else wire.connection[Symbol.dispose]();
}

async function runWindow(
  model: PreparedModel,
  messages: number,
  control: Control<ToDriver, FromDriver>,
): Promise<void> {
  const startedNs = process.hrtime.bigint();
  const window = await model.window(messages);
  const endedNs = process.hrtime.bigint();
  const samples = window.samples ?? new Float64Array(0);
  control.send({
    type: "load-window",
    messages: window.messages,
    startedNs: String(startedNs),
    endedNs: String(endedNs),
    samples: Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength).toString("base64"),
    lost: window.lost,
    duplicated: window.duplicated,
    reordered: window.reordered,
    corrupted: window.corrupted,
    usage: readUsage(),
    ...(window.problem === undefined ? {} : { problem: window.problem }),
  });
}

async function openWire(transport: Transport, start: DriverStart, { address }: LoadWork): Promise<Wire> {
  if (start.mode === "event") return { face: "event", client: await connectRpc(transport, address) };
  if (transport.blocking === undefined) throw new Error(`${transport.id} has no blocking face`);
  return { face: "blocking", connection: transport.blocking.connect(address, CONNECT_TIMEOUT_MS) };
}
