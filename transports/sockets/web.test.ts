import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Place } from "../contract/transport.ts";
import { describeAddressTransport } from "../testing/cases.ts";
import {
  Collector,
  connectCollector,
  makePlace,
  pattern,
  type ServerProcess,
  startServer,
} from "../testing/harness.ts";
import { http } from "./http.ts";
import { jsonRpc } from "./json-rpc.ts";
import { websocket } from "./websocket.ts";

describeAddressTransport({ transport: http, moduleUrl: new URL("./http.ts", import.meta.url), exportName: "http" });
describeAddressTransport({
  transport: websocket,
  moduleUrl: new URL("./websocket.ts", import.meta.url),
  exportName: "websocket",
});
describeAddressTransport({
  transport: jsonRpc,
  moduleUrl: new URL("./json-rpc.ts", import.meta.url),
  exportName: "jsonRpc",
});

describe.each([http, jsonRpc])("close of $id", (transport) => {
  let place: Place & AsyncDisposable;
  const started: ServerProcess[] = [];
  beforeEach(async () => {
    place = await makePlace();
  });
  afterEach(async () => {
    for (const server of started.splice(0)) await server.kill();
    await place[Symbol.asyncDispose]();
  });

  test("resolves when the server has read a request that it never answers", async () => {
    const atServer = new Collector();
    const server = await transport.event?.listen(await transport.allocate(place), atServer);
    if (server === undefined) throw new Error(`${transport.id} has no event face`);
    const { connection, collector } = await connectCollector(transport, server.address);
    connection.send(pattern(64));
    await connection.close(10 * 60_000);
    expect(atServer.messages).toHaveLength(1);
    expect(await collector.closed).toBeUndefined();
    await server.close();
  });

  test.skipIf(process.platform === "win32")("fails with IPC_TIMEOUT when the server is stopped", async () => {
    const address = await transport.allocate(place);
    const url = new URL(transport === http ? "./http.ts" : "./json-rpc.ts", import.meta.url);
    const server = await startServer(url, transport === http ? "http" : "jsonRpc", address);
    started.push(server);
    const { connection } = await connectCollector(transport, server.address);
    server.child.kill("SIGSTOP");
    connection.send(pattern(64));
    await expect(connection.close(400)).rejects.toMatchObject({ code: "IPC_TIMEOUT" });
  });
});
