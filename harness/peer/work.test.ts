import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { Method, type ServerStatistics } from "../../scenarios/check.ts";
import { HEADER_BYTES, Kind, readMethod, readStatus, Status } from "../../transports/contract/frame.ts";
import type { Connection } from "../../transports/contract/transport.ts";
import { unix } from "../../transports/sockets/unix.ts";
import { ownFolder } from "../../transports/testing/own-folder.ts";
import { SETTLING_OPTIONS } from "../process/node-command.ts";
import { buildFrame } from "../rpc/message.ts";
import { startPython } from "../testing/python-peer.ts";
import { EventServer } from "./event-server.ts";

function bodyOf(micros: number): Uint8Array {
  const body = new Uint8Array(8).fill(7);
  new DataView(body.buffer).setUint32(0, micros, true);
  return body;
}

/** The CPU clock of the test is that of the work, but for Windows. */
const LEAST_SHARE = process.platform === "win32" ? 0.4 : 0.99;

it("replies with the same body after so much CPU time", () => {
  const replies: Uint8Array[] = [];
  const connection = {
    send(frame: Uint8Array) {
      replies.push(frame.slice());
      return true;
    },
  } as unknown as Connection;
  const server = new EventServer(() => {}, 1024);
  server.onOpen(connection);
  const cpuMicrosOf = (micros: number, requests: number): number => {
    const before = process.cpuUsage();
    for (let id = 0; id < requests; id++) {
      server.onMessage(buildFrame(Kind.request, id, Method.work, 0, bodyOf(micros)), connection);
    }
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  cpuMicrosOf(1, 1);
  expect(cpuMicrosOf(2000, 20) / 40_000).toBeGreaterThan(LEAST_SHARE);
  // The clock counts all threads of this process, a compiler or collector among them: the least of some is the work's.
  const shares = Array.from({ length: 5 }, () => cpuMicrosOf(1000, 10) / 10_000);
  // Beside other tests even these contain some: the exact figure is that of the next test, in a server of its own.
  expect(Math.min(...shares)).toBeLessThan(3);
  const [first] = replies as [Uint8Array];
  expect([readStatus(first), readMethod(first), first.slice(HEADER_BYTES)]).toEqual([
    Status.ok,
    Method.work,
    bodyOf(1),
  ]);
});

// Work was a calibrated number of iterations: after 50 requests, other code took three times as long for them.
it("takes the same CPU time after hundreds of requests, in a server as it is measured", async () => {
  const request = Buffer.from(buildFrame(Kind.request, 1, Method.work, 0, bodyOf(100))).toString("base64");
  const program = `
    const { work } = await import(${JSON.stringify(new URL("./work.ts", import.meta.url).href)});
    const request = Buffer.from("${request}", "base64");
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    for (let call = 0; call < 100; call++) { work(request); await turn(); }
    // Without the turns between: until they are compiled, each takes 35 µs, a third of the work.
    let used = 0;
    for (let call = 0; call < 200; call++) {
      const before = process.cpuUsage();
      work(request);
      const { user, system } = process.cpuUsage(before);
      used += user + system;
      await turn();
    }
    console.log(used / 20_000);`;
  const args = [...SETTLING_OPTIONS, "--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
  expect(Number(stdout)).toBeGreaterThan(LEAST_SHARE);
  expect(Number(stdout)).toBeLessThan(1.5);
});

const own = ownFolder();

it("is done by a Python server too", async (context) => {
  if (!(await unix.probe()).available) context.skip("no Unix sockets here");
  const place = { directory: own.directory, prefix: `ipcmark-${process.pid.toString(16).padStart(16, "0")}` };
  const address = await unix.allocate(place);
  own.ended.push(() => unix.sweep(address));
  const peer = await startPython(unix, "event", address, own.ended);
  const client = await peer.connect();
  const cpuMicros = async (): Promise<number> => {
    const usage = await client.request(new Uint8Array(0), { method: Method.usage });
    return (JSON.parse(Buffer.from(usage).toString()) as ServerStatistics["usage"]).cpuMicros;
  };
  expect(Buffer.from(await client.request(bodyOf(1), { method: Method.work }))).toEqual(Buffer.from(bodyOf(1)));
  const before = await cpuMicros();
  for (let done = 0; done < 10; done++) await client.request(bodyOf(3000), { method: Method.work });
  const share = ((await cpuMicros()) - before) / 30_000;
  expect(share).toBeGreaterThan(LEAST_SHARE);
  expect(share).toBeLessThan(2);
  await client.close();
});
