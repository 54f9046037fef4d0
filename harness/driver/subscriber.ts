import { HEADER_BYTES, Kind, readKind } from "../../transports/contract/frame.ts";
import type { ConnectionHandler, Transport } from "../../transports/contract/transport.ts";
import { StreamReceiver } from "../peer/stream-receiver.ts";
import type { ControlChannel } from "../process/control-channel.ts";
import type { SubscribeWork } from "../process/load-messages.ts";
import type { FromDriver, ToDriver } from "../process/messages.ts";

/** Runs a subscriber process of `fan-out`: verifies messages and reports each stream, including probes. */
export async function runSubscriber(
  transport: Transport,
  work: SubscribeWork,
  control: ControlChannel<ToDriver, FromDriver>,
): Promise<void> {
  if (transport.event === undefined) throw new Error(`${transport.id} has no event face`);
  const receiver = new StreamReceiver((report) => control.send(report));
  let closed: Error | undefined;
  const handler: ConnectionHandler = {
    onOpen() {},
    onMessage(message) {
      if (message.length >= HEADER_BYTES && readKind(message) === Kind.oneWay) receiver.take(message);
    },
    onWritable() {},
    onClose(_connection, error) {
      closed = error;
    },
  };
  control.send({ type: "prepared" });
  // `end-load` comes if not all subscribers could be started.
  if ((await control.next(["begin", "end-load"])).type === "end-load") return;
  const connection = await transport.event.connect(work.address, handler);
  control.send({ type: "load-ready" });
  await control.next(["end-load"]);
  await connection.close();
  if (closed !== undefined) throw closed;
}
