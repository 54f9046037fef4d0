import { fork, type SerializationType } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { EchoArm } from "./arm.ts";
import { answer } from "./load.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

function arm(
  id: string,
  serialization: SerializationType,
  encode: (bytes: Buffer) => string | Buffer,
  decode: (message: unknown) => Buffer,
): EchoArm {
  return {
    async peer() {
      process.on("message", (message) => process.send?.(encode(answer(decode(message)))));
    },
    async exchange(_where, load) {
      const child = fork(MAIN, ["peer", id], { serialization });
      await new Promise<void>((resolve, reject) => {
        const send = (): void => {
          const request = load.next();
          if (request) child.send(encode(request));
          else child.disconnect();
        };
        child.on("message", (message) => {
          load.accept(decode(message));
          send();
        });
        child.on("error", reject);
        child.on("exit", () => resolve());
        send();
      });
    },
  };
}

export const json: EchoArm = arm(
  "channel/json",
  "json",
  (bytes) => bytes.toString("latin1"),
  (message) => Buffer.from(message as string, "latin1"),
);

export const advanced: EchoArm = arm(
  "channel/advanced",
  "advanced",
  (bytes) => bytes,
  (message) => message as Buffer,
);
