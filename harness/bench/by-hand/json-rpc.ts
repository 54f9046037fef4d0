import { connect, createServer, type Socket } from "node:net";
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from "vscode-jsonrpc/node";
import type { EchoArm } from "./arm.ts";
import { answer } from "./load.ts";

const open = (socket: Socket) =>
  createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));

export const jsonRpc: EchoArm = {
  async serve(directory) {
    const path = `${directory}/jsonrpc`;
    const server = createServer((socket) => {
      const connection = open(socket);
      connection.onRequest("echo", (text: string) => answer(Buffer.from(text, "latin1")).toString("latin1"));
      connection.listen();
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return path;
  },
  async exchange(path, load) {
    const socket = connect(path);
    const connection = open(socket);
    connection.listen();
    for (let request = load.next(); request; request = load.next()) {
      const reply = await connection.sendRequest<string>("echo", request.toString("latin1"));
      load.accept(Buffer.from(reply, "latin1"));
    }
    connection.dispose();
    socket.destroy();
  },
};
