import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { describeAddressTransport } from "../testing/cases.ts";
import { zeromqDealerRouter, zeromqReqRep, zeromqTcp } from "./zeromq.ts";

const moduleUrl = new URL("./zeromq.ts", import.meta.url);
describeAddressTransport({ transport: zeromqDealerRouter, moduleUrl, exportName: "zeromqDealerRouter" });
describeAddressTransport({ transport: zeromqReqRep, moduleUrl, exportName: "zeromqReqRep" });
describeAddressTransport({ transport: zeromqTcp, moduleUrl, exportName: "zeromqTcp" });

const directory = mkdtempSync(join(tmpdir(), "zeromq-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("the late reply to an abandoned request neither ends a lockstep client nor answers the next request", async () => {
  const { event } = zeromqReqRep;
  if (event === undefined) throw new Error("no event face");
  const place = { directory, prefix: `ipcmark-${randomBytes(8).toString("hex")}` };
  const address = await zeromqReqRep.allocate(place);
  const ignore = (): void => {};
  let asked = 0;
  const server = await event.listen(address, {
    onOpen: ignore,
    onMessage(_message, connection) {
      // The first reply comes when its request is given up, and long enough before the second to wake the client alone.
      if (++asked === 1) connection.send(Buffer.from("late"));
      else setTimeout(() => connection.send(Buffer.from("in time")), 100);
    },
    onWritable: ignore,
    onClose: ignore,
  });
  const seen: string[] = [];
  const answered = Promise.withResolvers<void>();
  const client = await event.connect(address, {
    onOpen: ignore,
    onMessage(message) {
      seen.push(Buffer.from(message).toString());
      answered.resolve();
    },
    onWritable: ignore,
    onClose: (_connection, error) => answered.reject(error ?? new Error("closed")),
  });
  client.send(Buffer.from("given up"));
  client.send(Buffer.from("next"));
  await answered.promise;
  expect(seen).toEqual(["in time"]);
  await client.close();
  await server.close();
});
