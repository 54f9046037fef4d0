import { isIpcError } from "../../transports/contract/errors.ts";
import type { LaunchedPeer } from "../../transports/contract/transport.ts";
import type { Check, CheckContext } from "../check.ts";
import { isLaunched } from "../kit/conditions.ts";
import { expect, expectCode, within } from "../kit/expect.ts";
import { pattern } from "../kit/messages.ts";
import { eventFace } from "../kit/one-process.ts";
import { Recorder } from "../kit/recorder.ts";

/** Checks for rendezvous `parent`, where the connection begins with the process. */
export const launch: readonly Check[] = [
  {
    id: "launch/no-such-program",
    title: "Launching what does not exist rejects and leaves no process",
    why: "A mistyped command must fail at the start, not by the first time-out.",
    needs: [isLaunched],
    async run(context) {
      const command = "/nonexistent/ipcmark-no-such-program";
      const outcome = await within(
        "launch",
        launcher(context)([command], new Recorder("the parent")).catch((error: unknown) => error),
      );
      expect(isIpcError(outcome), `launch of ${command} gave ${String(outcome)}`);
    },
  },
  {
    id: "launch/exit-is-seen",
    title: "A peer that exits at once is reported by its exit code and exactly one onClose",
    why: "The reason of a failed start is in the exit code; without it the parent can only guess.",
    quick: true,
    typicalMs: 60,
    needs: [isLaunched],
    async run(context) {
      const side = new Recorder("the parent");
      const peer = await within("launch", launcher(context)([process.execPath, "-e", "process.exit(3)"], side));
      peer.control.on("error", () => undefined);
      const exit = await within("the exit", peer.exited);
      expect(exit.code === 3, `the peer exited with 3 and was reported as ${exit.code ?? exit.signal}`);
      await side.until("onClose", () => side.closings.length > 0);
      await within("close", peer.connection.close());
      await expectCode("send to a peer that is gone", ["IPC_CLOSED"], () => peer.connection.send(pattern(4, 1)));
      expect(side.closings.length === 1, `onClose was called ${side.closings.length} times`);
      peer.control.destroy();
    },
  },
  {
    id: "launch/control-channel",
    title: "Descriptor 3 of the peer is the control channel, both ways, apart from the messages",
    why: "Readiness and shutdown must not travel among the data.",
    typicalMs: 60,
    needs: [isLaunched],
    async run(context) {
      const program =
        "const s = new (require('node:net').Socket)({ fd: 3 });" +
        "s.once('data', (line) => s.end('heard ' + line, () => process.exit(0)));";
      const peer = await within(
        "launch",
        launcher(context)([process.execPath, "-e", program], new Recorder("the parent")),
      );
      const heard = new Promise<string>((resolve) => {
        peer.control.once("data", (line: Buffer) => resolve(line.toString()));
      });
      peer.control.write("ready?\n");
      const answer = await within("an answer on the control channel", heard);
      expect(answer === "heard ready?\n", `the control channel answered ${JSON.stringify(answer)}`);
      await within("the exit", peer.exited);
      await within("close", peer.connection.close());
    },
  },
];

function launcher(
  context: CheckContext,
): (command: readonly [string, ...string[]], handler: Recorder) => Promise<LaunchedPeer> {
  const face = eventFace(context);
  expect(face.launch !== undefined, "the case was run although there is no launch");
  return face.launch.bind(face);
}
