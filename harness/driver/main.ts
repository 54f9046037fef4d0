/** The driver process. Its first line decides if it measures cells or runs checks, against peers that it starts. */

import { openControlChannel } from "../process/control-channel.ts";
import type { Exit } from "../process/crash.ts";
import { onCrash } from "../process/crash.ts";
import { failureOf } from "../process/failure.ts";
import { loadTransport } from "../process/load-transport.ts";
import type { FromDriver, ToDriver } from "../process/messages.ts";
import { takeOverPeer } from "./peers/peer-process.ts";

const START_TIMEOUT_MS = 20_000;
/** Longest wait from `prepared` to `begin`, in which others have their turns. The process ends with the coordinator. */
const HELD_TIMEOUT_MS = 24 * 60 * 60 * 1000;

const control = openControlChannel<ToDriver, FromDriver>();
// The process that started this driver is gone, so nobody needs the result. The peers end with their stdin.
void control.ended.then(() => process.exit(1));
const peerExited = new Promise<Exit>((resolve) => control.onMessage("peer-exited", resolve));
onCrash((name, signal) => control.send({ type: "crashed", process: name, signal }));

try {
  // The pid is only for this process, not for drivers that it starts with the same message.
  const { peerPid, ...start } = await control.next(["start"], START_TIMEOUT_MS);
  const send = (message: FromDriver): void => control.send(message);
  const begun = (): Promise<unknown> => control.next(["begin"], START_TIMEOUT_MS);
  const early =
    peerPid === undefined ? undefined : takeOverPeer(peerPid, peerExited, (pid) => send({ type: "spawned", pid }));
  const transport = await loadTransport(start.transport);
  switch (start.work.kind) {
    case "calibrate":
    case "measure":
      await (await import("./measure-windows.ts")).runCells({
        transport,
        start,
        work: start.work,
        send,
        begun: () => control.next(["begin"], HELD_TIMEOUT_MS),
        ...(early === undefined ? {} : { early }),
      });
      break;
    case "check":
      await (await import("./checks/execute-checks.ts")).executeChecks(transport, start, start.work, send);
      break;
    case "client":
      await (await import("./check-client.ts")).runCheckClient(transport, start.work, send, begun);
      break;
    case "user":
      await (await import("./as-user.ts")).connectAsUser(transport, start.work, send, begun);
      break;
    case "sender":
      await (await import("./sender.ts")).runSender(transport, start.work, send, begun);
      break;
    case "load":
      await (await import("./load-client.ts")).runLoadClient(transport, start, start.work, control);
      break;
    case "codecs":
      await (await import("./measure-codecs.ts")).measureCodecs(start.work, send);
      break;
    case "subscribe":
      await (await import("./subscriber.ts")).runSubscriber(transport, start.work, control);
      break;
  }
  send({ type: "done" });
  await control.flushed();
  process.exit(0);
} catch (error) {
  control.send(failureOf(error));
  await control.flushed();
  process.exit(1);
}
