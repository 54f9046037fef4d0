import { spawn } from "node:child_process";
import { createConnection } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { createClient, RESP_TYPES } from "@redis/client";
import type { EchoArm } from "./arm.ts";
import { answer, type Load } from "./load.ts";

/** Typed by the function itself, since the type of a client depends on its options. */
const open = async (path: string) =>
  createClient({
    socket: { path, tls: false },
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  }).connect();

async function startBroker(directory: string): Promise<string> {
  const path = `${directory}/redis`;
  const settings = ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no"];
  // The benchmark kills this process, so a shell ends the broker at the end of its own input.
  const guard = 'exec 3<&0; "$@" </dev/null 3<&- & read -r _ <&3; kill $!';
  spawn("/bin/sh", ["-c", guard, "sh", "redis-server", ...settings], { stdio: ["pipe", "ignore", "ignore"] });
  while (!(await accepts(path))) await delay(10);
  return path;
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path, () => resolve(true));
    socket.on("error", () => resolve(false));
    socket.unref();
  });
}

export const list: EchoArm = {
  async serve(directory) {
    const path = await startBroker(directory);
    const [receiver, sender] = [await open(path), await open(path)];
    const serveAll = async (): Promise<void> => {
      for (;;) {
        const request = await receiver.blPop("requests", 0);
        if (request !== null) await sender.rPush("replies", answer(request.element as unknown as Buffer));
      }
    };
    serveAll().catch(() => process.exit(1));
    return path;
  },
  async exchange(path, load) {
    const [receiver, sender] = [await open(path), await open(path)];
    for (let request = load.next(); request; request = load.next()) {
      await sender.rPush("requests", request);
      const reply = await receiver.blPop("replies", 0);
      load.accept(reply?.element as unknown as Buffer);
    }
  },
};

export const pubSub: EchoArm = {
  async serve(directory) {
    const path = await startBroker(directory);
    const [receiver, sender] = [await open(path), await open(path)];
    await receiver.subscribe("requests", (request) => void sender.publish("replies", answer(request)), true);
    return path;
  },
  async exchange(path, load: Load) {
    const [receiver, sender] = [await open(path), await open(path)];
    let accept: (reply: Buffer) => void = () => {};
    await receiver.subscribe("replies", (reply) => accept(reply), true);
    for (let request = load.next(); request; request = load.next()) {
      const replied = new Promise<Buffer>((resolve) => {
        accept = resolve;
      });
      await sender.publish("requests", request);
      load.accept(await replied);
    }
  },
};
