import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from "vscode-jsonrpc/node";
import type { EchoArm } from "./arm.ts";
import { answer } from "./load.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

const start = (id: string) => spawn(process.execPath, [MAIN, "peer", id], { stdio: ["pipe", "pipe", "inherit"] });
const open = (input: Readable, output: Writable) =>
  createMessageConnection(new StreamMessageReader(input), new StreamMessageWriter(output));

/** As an editor does it: the library over the streams. */
export const headers: EchoArm = {
  async peer() {
    const connection = open(process.stdin, process.stdout);
    connection.onRequest("echo", (text: string) => answer(Buffer.from(text, "latin1")).toString("latin1"));
    connection.listen();
  },
  async exchange(_where, load) {
    const child = start("jsonrpc/stdio-headers");
    const connection = open(child.stdout, child.stdin);
    connection.listen();
    for (let request = load.next(); request; request = load.next()) {
      const reply = await connection.sendRequest<string>("echo", request.toString("latin1"));
      load.accept(Buffer.from(reply, "latin1"));
    }
    child.stdin.end();
  },
};

/** As small tool servers do it: `readline` and `JSON`, a promise per request by its id. */
export const lines: EchoArm = {
  async peer() {
    createInterface(process.stdin).on("line", (line) => {
      const { id, params } = JSON.parse(line) as { id: number; params: [string] };
      const result = answer(Buffer.from(params[0], "latin1")).toString("latin1");
      process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`);
    });
  },
  async exchange(_where, load) {
    const child = start("jsonrpc/stdio");
    const waiting = new Map<number, (result: string) => void>();
    createInterface(child.stdout).on("line", (line) => {
      const { id, result } = JSON.parse(line) as { id: number; result: string };
      waiting.get(id)?.(result);
      waiting.delete(id);
    });
    let id = 0;
    for (let request = load.next(); request; request = load.next()) {
      const params = [request.toString("latin1")];
      const reply = await new Promise<string>((resolve) => {
        waiting.set(++id, resolve);
        child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method: "echo", params })}\n`);
      });
      load.accept(Buffer.from(reply, "latin1"));
    }
    child.stdin.end();
  },
};
