import { expect, test } from "vitest";
import type { IpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler, LaunchedPeer } from "../contract/transport.ts";
import { stdio } from "./stdio.ts";

const MODULE = new URL("./stdio.ts", import.meta.url).href;

/** A peer that echoes and pauses when the way back is full, as a program of its own. */
const ECHO = `
  const { stdio } = await import(${JSON.stringify(MODULE)});
  let held;
  const server = await stdio.event.listen({ transport: "stdio", name: "peer" }, {
    onOpen() {},
    onMessage(message, connection) {
      if (message.length === 1) { process.exit(7); }
      if (!connection.send(message)) { held = message.slice(); connection.pause(); }
    },
    onWritable(connection) {
      if (held !== undefined && connection.send(held)) { held = undefined; connection.resume(); }
    },
    onClose() { process.exit(0); },
  });
  await stdio.event.listen({ transport: "stdio", name: "peer" }, {})
    .catch(({ code }) => process.stderr.write(code === "IPC_ADDRESS_IN_USE" ? "" : "unexpected: " + code));
`;

class Parent implements ConnectionHandler {
  readonly lengths: number[] = [];
  readonly closed = Promise.withResolvers<IpcError | undefined>();
  #wake: () => void = () => {};
  closings = 0;

  onOpen(): void {}
  onMessage(message: Uint8Array): void {
    this.lengths.push(message.length);
    this.#wake();
  }
  onWritable(): void {
    this.#wake();
  }
  onClose(_: Connection, error?: IpcError): void {
    this.closings += 1;
    this.closed.resolve(error);
  }
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

async function launch(handler: ConnectionHandler): Promise<LaunchedPeer> {
  const peer = await stdio.event?.launch?.([process.execPath, "--input-type=module", "-e", ECHO], handler);
  if (peer === undefined) throw new Error("stdio has no launch");
  return peer;
}

test("a load larger than all buffers comes back from a launched peer, and close ends it with code 0", async () => {
  const parent = new Parent();
  const peer = await launch(parent);
  const message = new Uint8Array(100_000).fill(3);
  const count = 60;
  for (let sent = 0; sent < count; ) {
    if (peer.connection.send(message)) sent += 1;
    else await parent.next();
  }
  while (parent.lengths.length < count) await parent.next();
  expect(new Set(parent.lengths)).toEqual(new Set([100_000]));
  await peer.connection.close();
  expect(await peer.exited).toEqual({ code: 0, signal: null });
  expect(await parent.closed.promise).toBeUndefined();
  expect(parent.closings).toBe(1);
});

test("a peer that exits in the middle of a conversation is seen by its code and one onClose", async () => {
  const parent = new Parent();
  const peer = await launch(parent);
  peer.connection.send(Uint8Array.of(1));
  expect(await peer.exited).toEqual({ code: 7, signal: null });
  await parent.closed.promise;
  expect(parent.closings).toBe(1);
  expect(() => peer.connection.send(Uint8Array.of(1))).toThrow(expect.objectContaining({ code: "IPC_CLOSED" }));
});

test.skipIf(process.platform === "win32")(
  "a child that prints where its messages belong ends its connection, and its parent launches others",
  async () => {
    const parent = new Parent();
    const rawClient = await stdio.launchRaw?.(parent);
    await rawClient?.write(Buffer.from("hello from console.log\n"));
    expect(await parent.closed.promise).toMatchObject({ code: "IPC_MALFORMED" });
    await rawClient?.[Symbol.asyncDispose]();
    expect([parent.closings, parent.lengths]).toEqual([1, []]);
    const peer = await launch(new Parent());
    await peer.connection.close();
    expect(await peer.exited).toEqual({ code: 0, signal: null });
  },
);

test("connect throws an error that names launch", async () => {
  await expect(stdio.event?.connect({ transport: "stdio", name: "x" }, new Parent())).rejects.toMatchObject({
    code: "IPC_UNSUPPORTED",
    message: expect.stringContaining("launch()"),
  });
});
