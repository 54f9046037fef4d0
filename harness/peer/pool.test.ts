import { expect, test } from "vitest";
import { POOL } from "../../scenarios/check.ts";
import { Kind, readId } from "../../transports/contract/frame.ts";
import { buildFrame } from "../rpc/message.ts";
import { WorkerPool } from "./pool.ts";

function request(id: number, delayMs: number): Uint8Array {
  const body = Buffer.alloc(8, id);
  body.writeUInt32LE(delayMs, 0);
  return buildFrame(Kind.request, id, 0, 0, body);
}

test("jobs return in the order in which they end, each with its own bytes and its own client", async () => {
  const done: [number, string][] = [];
  const all = Promise.withResolvers<void>();
  const pool: WorkerPool<string> = new WorkerPool(() => {
    pool.collect((reply, client) => {
      expect(Buffer.compare(reply, request(readId(reply), readId(reply) === 1 ? 200 : 1))).toBe(0);
      done.push([readId(reply), client]);
    });
    if (done.length === 3) all.resolve();
  });
  for (const id of [1, 2, 3]) expect(pool.submit(request(id, id === 1 ? 200 : 1), `client ${id}`)).toBe(true);
  await all.promise;
  expect(done.at(-1)).toEqual([1, "client 1"]);
  expect(pool.pending).toBe(0);
});

test("a job too many is refused at once, and so is one too large; room comes back", () => {
  const pool = new WorkerPool<null>(() => {});
  const capacity = POOL.workers + POOL.queue;
  for (let id = 0; id < capacity; id++) expect(pool.submit(request(id, 50), null)).toBe(true);
  expect(pool.submit(request(99, 0), null)).toBe(false);
  expect(pool.pending).toBe(capacity);
  // As in a blocking server: no event loop turns, so only the shared memory reports progress.
  const deadline = performance.now() + 10_000;
  while (pool.pending > 0 && performance.now() < deadline) pool.collect(() => {});
  expect(pool.pending).toBe(0);
  expect(pool.submit(buildFrame(Kind.request, 1, 0, 0, Buffer.alloc(POOL.maxBodyBytes + 1)), null)).toBe(false);
  expect(pool.submit(request(1, 0), null)).toBe(true);
});
