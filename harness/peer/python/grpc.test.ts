import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import type { Address } from "../../../transports/contract/transport.ts";
import { grpcUnary } from "../../../transports/grpc/grpc.ts";
import { ownFolder } from "../../../transports/testing/own-folder.ts";
import { startPython } from "../../testing/python-peer.ts";

const own = ownFolder();
const { ended } = own;
const DEFAULT_LIMIT = 4 * 1024 * 1024;
const RESOURCE_EXHAUSTED = 8;

async function addressOf(options: Address["options"] = {}): Promise<Address> {
  const address = { ...(await grpcUnary.allocate({ directory: own.directory, prefix: "ipcmark-test" })), options };
  ended.push(() => grpcUnary.sweep(address));
  return address;
}

/** Makes a call with a client of the library alone; returns the length of the reply or the status of the failure. */
function callWith(client: Client, bytes: number): Promise<number> {
  const identity = (message: Buffer): Buffer => message;
  return new Promise((resolve, reject) => {
    const done = (error: ServiceError | null, reply?: Buffer): void =>
      error === null ? resolve(reply?.length ?? 0) : reject(error);
    client.makeUnaryRequest("/ipcmark.Messages/Call", identity, identity, request(bytes), done);
  });
}

/** A request frame, whose checksum the server of a large one does not verify. */
function request(bytes: number): Buffer {
  const frame = Buffer.alloc(bytes);
  frame[4] = 1;
  frame.writeUInt32LE(bytes - 16, 8);
  return frame;
}

test("a Python server of grpc/unary takes more than the 4 MiB that the library allows by default", async () => {
  const peer = await startPython(grpcUnary, "event", await addressOf(), ended);
  const client = await peer.connect();
  expect(await client.request(new Uint8Array(DEFAULT_LIMIT + 1))).toHaveLength(DEFAULT_LIMIT + 1);
  await client.close();
  expect(await peer.stop()).toEqual({ code: 0, signal: null });
});

test("one with that limit refuses a larger message with status 8, and its channel serves the next one", async () => {
  const limit = 1024 * 1024;
  const peer = await startPython(grpcUnary, "event", await addressOf({ maxMessageBytes: limit }), ended);
  const client = new Client(`unix:${peer.address.name}`, credentials.createInsecure());
  try {
    expect(await callWith(client, limit)).toBe(limit);
    await expect(callWith(client, limit + 1)).rejects.toMatchObject({ code: RESOURCE_EXHAUSTED });
    expect(await callWith(client, limit)).toBe(limit);
  } finally {
    client.close();
  }
  const ours = await peer.connect();
  await expect(ours.request(new Uint8Array(limit))).rejects.toMatchObject({ code: "IPC_TOO_LARGE" });
  expect(await peer.stop()).toEqual({ code: 0, signal: null });
});
