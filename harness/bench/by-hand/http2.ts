import { spawn } from "node:child_process";
import {
  type ClientHttp2Session,
  connect,
  createServer,
  performServerHandshake,
  type ServerHttp2Stream,
} from "node:http2";
import { connect as netConnect } from "node:net";
import { Duplex } from "node:stream";
import type { ReadableWritablePair } from "node:stream/web";
import { fileURLToPath } from "node:url";
import type { EchoArm } from "./arm.ts";
import { answer, type Load } from "./load.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

function echo(stream: ServerHttp2Stream): void {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("end", () => {
    const body = answer(Buffer.concat(chunks));
    stream.respond({ ":status": 200, "content-type": "application/octet-stream", "content-length": body.length });
    stream.end(body);
  });
}

async function exchangeOver(session: ClientHttp2Session, load: Load): Promise<void> {
  const post = (body: Buffer): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      const stream = session.request({
        ":method": "POST",
        ":path": "/",
        "content-type": "application/octet-stream",
        "content-length": body.length,
      });
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => resolve(Buffer.concat(chunks)));
      stream.on("error", reject);
      stream.end(body);
    });
  for (let body = load.next(); body; body = load.next()) load.accept(await post(body));
  session.destroy();
}

export const unix: EchoArm = {
  async serve(directory) {
    const path = `${directory}/http2`;
    const server = createServer();
    server.on("stream", echo);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return path;
  },
  exchange: (path, load) =>
    exchangeOver(connect("http://localhost", { createConnection: () => netConnect(path) }), load),
};

/** Joins two streams. In this form the declaration of `Duplex.from` has web streams only. */
function joined(readable: NodeJS.ReadableStream, writable: NodeJS.WritableStream): Duplex {
  return Duplex.from({ readable, writable } as unknown as ReadableWritablePair);
}

export const stdio: EchoArm = {
  async peer() {
    performServerHandshake(joined(process.stdin, process.stdout)).on("stream", echo);
  },
  exchange(_where, load) {
    const { stdin, stdout } = spawn(process.execPath, [...process.execArgv, MAIN, "peer", "http2/stdio"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const createConnection = (): Duplex => joined(stdout, stdin);
    return exchangeOver(connect("http://localhost", { createConnection }), load);
  },
};
