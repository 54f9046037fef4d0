import { createServer } from "node:net";
import { expect, test } from "vitest";
import type { ConnectionHandler } from "../contract/transport.ts";
import { tcp } from "./tcp.ts";

const quiet: ConnectionHandler = { onOpen() {}, onMessage() {}, onWritable() {}, onClose() {} };
const event = tcp.event;
if (event === undefined) throw new Error("tcp has no event face");

test("listening on port 0 names the port it got, and residue shows the port until the end", async () => {
  const requested = await tcp.allocate({ directory: "/nowhere", prefix: "ipcmark-0" });
  expect(requested.name).toBe("127.0.0.1:0");
  const server = await event.listen(requested, quiet);
  expect(server.address.name).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
  expect(await tcp.residue(server.address)).toEqual([{ kind: "port", name: server.address.name }]);
  await server.close();
  expect(await tcp.residue(server.address)).toEqual([]);
});

test("an address that is not of this machine's loopback is refused by name", async () => {
  for (const name of ["0.0.0.0:0", "192.0.2.1:80", "localhost:1", "127.0.0.1", "127.0.0.1:70000", "127.0.0.1:1:2"]) {
    const refusal = { code: "IPC_UNSUPPORTED", message: expect.stringContaining(name) };
    await expect(event.listen({ transport: "tcp", name }, quiet)).rejects.toMatchObject(refusal);
    await expect(event.connect({ transport: "tcp", name }, quiet)).rejects.toMatchObject(refusal);
  }
});

test("a port that another program holds is in use", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const bound = other.address();
  const name = `127.0.0.1:${typeof bound === "object" && bound !== null ? bound.port : 0}`;
  await expect(event.listen({ transport: "tcp", name }, quiet)).rejects.toMatchObject({ code: "IPC_ADDRESS_IN_USE" });
  expect(await tcp.residue({ transport: "tcp", name })).toHaveLength(1);
  await new Promise((resolve) => other.close(resolve));
});
