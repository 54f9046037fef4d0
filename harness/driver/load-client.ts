import type { Transport } from "../../transports/contract/transport.ts";
import type { ControlChannel } from "../process/control-channel.ts";
import type { Go, LoadWork } from "../process/load-messages.ts";
import type { DriverStart, FromDriver, ToDriver } from "../process/messages.ts";
import { readUsage, watchGarbageCollection } from "../process/usage.ts";
import { connectRpc } from "../rpc/connect.ts";
import type { Wire } from "./models/model.ts";
import { replayOf } from "./models/recorded-requests.ts";
import { WorkloadClient } from "./models/workload-client.ts";

const CONNECT_TIMEOUT_MS = 10_000;

/** Runs a client process of `fan-in` or `workload`: connects when all have loaded, then runs a window per `go`. */
export async function runLoadClient(
  transport: Transport,
  start: DriverStart,
  work: LoadWork,
  control: ControlChannel<ToDriver, FromDriver>,
): Promise<void> {
  watchGarbageCollection();
  control.send({ type: "prepared" });
  // `end-load` comes if not all client processes could be started.
  if ((await control.next(["begin", "end-load"])).type === "end-load") return;
  const wire = await openWire(transport, start, work);
  const { maxInFlight } = transport.capabilities;
  const client = new WorkloadClient(wire, work.load, work.client, maxInFlight, replayOf(start));
  control.send({ type: "load-ready" });
  for (;;) {
    const message = await control.next(["go", "end-load"]);
    if (message.type === "end-load") break;
    await runWindow(client, message, control);
  }
  if (wire.face === "event") await wire.client.close();
  else wire.connection[Symbol.dispose]();
}

async function runWindow(client: WorkloadClient, go: Go, control: ControlChannel<ToDriver, FromDriver>): Promise<void> {
  const { startedNs, elapsedNs, samples, lateness, groupOf, ...window } = await client.window(go);
  control.send({
    type: "load-window",
    messages: window.messages,
    startedNs: String(startedNs),
    endedNs: String(startedNs + BigInt(Math.round(elapsedNs))),
    samples: packed(samples),
    lost: window.lost,
    duplicated: window.duplicated,
    reordered: window.reordered,
    corrupted: window.corrupted,
    usage: readUsage(),
    ...(lateness === undefined ? {} : { lateness: packed(lateness) }),
    ...(groupOf === undefined ? {} : { groupOf: packed(groupOf) }),
    ...(window.problem === undefined ? {} : { problem: window.problem }),
    ...(window.refused === undefined ? {} : { refused: window.refused }),
  });
}

/** Returns the values as base64 of little-endian f64. */
function packed(values: Float64Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");
}

async function openWire(transport: Transport, start: DriverStart, { address }: LoadWork): Promise<Wire> {
  if (start.mode === "event") return { face: "event", client: await connectRpc(transport, address) };
  if (transport.blocking === undefined) throw new Error(`${transport.id} has no blocking face`);
  return { face: "blocking", connection: transport.blocking.connect(address, CONNECT_TIMEOUT_MS) };
}
