/** Claims about `close` of mechanisms that only carry calls, across processes. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Place } from "../contract/transport.ts";
import type { Subject } from "./cases.ts";
import { Collector, connectCollector, makePlace, pattern, type ServerProcess, startServer } from "./harness.ts";

export function describeUnaryClose({ transport, moduleUrl, exportName }: Subject): void {
  describe(`close of ${transport.id}`, () => {
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
      const server = await startServer(moduleUrl, exportName, address);
      started.push(server);
      const { connection } = await connectCollector(transport, server.address);
      server.child.kill("SIGSTOP");
      connection.send(pattern(64));
      await expect(connection.close(400)).rejects.toMatchObject({ code: "IPC_TIMEOUT" });
    });
  });
}
