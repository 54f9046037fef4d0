import { Agent, createServer, request } from "node:http";
import type { EchoArm } from "./arm.ts";
import { answer } from "./load.ts";

export const http: EchoArm = {
  async serve(directory) {
    const path = `${directory}/http`;
    const server = createServer((incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        const body = answer(Buffer.concat(chunks));
        response.writeHead(200, { "content-type": "application/octet-stream", "content-length": body.length });
        response.end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return path;
  },
  async exchange(socketPath, load) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const post = (body: Buffer): Promise<Buffer> =>
      new Promise((resolve, reject) => {
        const headers = { "content-type": "application/octet-stream", "content-length": body.length };
        const outgoing = request({ socketPath, path: "/", method: "POST", agent, headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => resolve(Buffer.concat(chunks)));
        });
        outgoing.on("error", reject);
        outgoing.end(body);
      });
    for (let body = load.next(); body; body = load.next()) load.accept(await post(body));
    agent.destroy();
  },
};
