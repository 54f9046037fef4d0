import { MessageChannel } from "node:worker_threads";
import type { EchoArm } from "./arm.ts";
import { answer } from "./load.ts";

/** Both ports in one thread, as the harness hosts them: the cost of the port without that of waking a thread. */
export const port: EchoArm = {
  async exchange(_where, load) {
    const { port1, port2 } = new MessageChannel();
    port2.on("message", (message: Uint8Array) => {
      answer(message);
      port2.postMessage(message, [message.buffer as ArrayBuffer]);
    });
    await new Promise<void>((resolve) => {
      const send = (): void => {
        const request = load.next();
        if (request === undefined) {
          port1.close();
          resolve();
          return;
        }
        const copy = new Uint8Array(request);
        port1.postMessage(copy, [copy.buffer]);
      };
      port1.on("message", (reply: Uint8Array) => {
        load.accept(reply);
        send();
      });
      send();
    });
  },
};
