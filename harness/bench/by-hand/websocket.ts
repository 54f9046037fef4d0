import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import type { EchoArm } from "./arm.ts";
import { answer } from "./load.ts";

export const websocket: EchoArm = {
  async serve(directory) {
    const path = `${directory}/ws`;
    const server = createServer();
    new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (socket) => {
      socket.on("message", (message: Buffer) => socket.send(answer(message)));
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return path;
  },
  async exchange(path, load) {
    const socket = new WebSocket(`ws+unix:${path}:/`, { perMessageDeflate: false });
    await new Promise<void>((resolve, reject) => {
      const send = (): void => {
        const request = load.next();
        if (request) socket.send(request);
        else socket.close();
      };
      socket.on("open", send);
      socket.on("message", (reply: Buffer) => {
        load.accept(reply);
        send();
      });
      socket.on("error", reject);
      socket.on("close", () => resolve());
    });
  },
};
