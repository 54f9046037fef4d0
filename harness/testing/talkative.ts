import { writeSync } from "node:fs";
import type { EventTransport, Transport } from "../../transports/contract/transport.ts";
import { unix } from "../../transports/sockets/unix.ts";
import { CONTROL_FD } from "../process/control-fd.ts";

/** `unix` whose client prints something in its own process before it connects. */
function talkative(id: string, talk: () => void): Transport {
  const event = unix.event as EventTransport;
  return {
    ...unix,
    id,
    event: {
      ...event,
      async connect(...args) {
        talk();
        return event.connect(...args);
      },
    },
  };
}

const line = (message: object): string => `${JSON.stringify(message)}\n`;
const PASSED = { type: "check", status: "passed", notes: {}, durationMs: 1 };

export default [
  talkative("talkative/printed", () => {
    for (const id of ["sequential-requests", "permissions"]) process.stdout.write(line({ ...PASSED, id }));
    process.stdout.write(line({ type: "done" }));
    process.stdout.write("x".repeat(3_000_000));
    process.stdout.write("progress 50 %");
  }),
  talkative("talkative/twice", () => writeSync(CONTROL_FD, line({ ...PASSED, id: "sequential-requests" }))),
  talkative("talkative/early", () => writeSync(CONTROL_FD, line({ ...PASSED, id: "permissions" }))),
  talkative("talkative/malformed", () => writeSync(CONTROL_FD, line({ ...PASSED, id: 7 }))),
  talkative("talkative/everybody", () => writeSync(CONTROL_FD, line({ type: "spawned", pid: 1 }))),
  talkative("talkative/no-json", () => writeSync(CONTROL_FD, "hello\n")),
];
