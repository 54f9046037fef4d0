import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Capabilities } from "../../transports/contract/capabilities.ts";
import { isIpcError, shortageIn } from "../../transports/contract/errors.ts";
import { HEADER_BYTES } from "../../transports/contract/frame.ts";
import type { TransportDescription } from "../../transports/contract/transport.ts";
import {
  type CheckClient,
  type CheckContext,
  JSON_BYTES,
  Method,
  type Peer,
  type ServerStatistics,
  type StreamTotals,
} from "../check.ts";

/** How long a scenario waits for what must happen. Generous: a busy machine is no fault of a mechanism. */
export const PATIENCE_MS = 8000;
/** On top of every promised deadline: what a timer and a turn of the event loop cost. */
export const DEADLINE_SLACK_MS = 50;

export type Condition = (capabilities: Capabilities, transport: TransportDescription) => true | string;

/** Applies when all conditions hold; otherwise the reason is that of the first that does not. */
export function needs(...conditions: readonly Condition[]): Condition {
  return (capabilities, transport) => {
    for (const condition of conditions) {
      const answer = condition(capabilities, transport);
      if (answer !== true) return answer;
    }
    return true;
  };
}

export const replies: Condition = ({ patterns }) => patterns.includes("request-reply") || "this pattern has no replies";
/** A server that can show that it is alive: it answers, or what it publishes is heard. */
export const repliesOrPublishes: Condition = (capabilities, transport) =>
  capabilities.patterns.includes("fan-out") || replies(capabilities, transport);
export const oneWay: Condition = ({ patterns }) =>
  patterns.includes("one-way") || "every message of this pattern is a request that needs its reply";
export const ownProcess: Condition = ({ rendezvous }) =>
  rendezvous !== "process" || "both ends live in one process, so neither can fail alone";
export const canFreeze: Condition = () =>
  process.platform !== "win32" || "Windows has no SIGSTOP: no process can be stopped from outside";
/** There is a signal that asks a process to end, and that it may answer by cleaning up. */
export const canAskToEnd: Condition = () =>
  process.platform !== "win32" || "Windows has no SIGTERM: a process ended from outside runs nothing of its own";
export const hasAddress: Condition = ({ rendezvous }) =>
  rendezvous === "address" || "one peer belongs to one client here: nobody else can reach it";
export const hasRawClient: Condition = (_, transport) =>
  transport.connectRaw !== undefined ||
  (transport.launchRaw === undefined
    ? "there is no way in below the framing"
    : "only the child that was launched can write to it: hostile-bytes makes it write rubbish");
export const pipelined: Condition = ({ maxInFlight }) => maxInFlight > 1 || "lockstep: one request at a time";

function carriesAnswer(method: keyof typeof JSON_BYTES): Condition {
  return ({ maxMessageBytes }) =>
    maxMessageBytes >= HEADER_BYTES + JSON_BYTES[method] ||
    `messages of ${maxMessageBytes} bytes are too small for what the server states of itself`;
}

export const tellsStatistics: Condition = carriesAnswer("statistics");
export const tellsTotals: Condition = carriesAnswer("streamTotals");

/** Bytes that differ at every place and for every seed, so that a shifted, swapped or stale byte shows. */
export function pattern(bytes: number, seed: number): Buffer {
  const block = Buffer.alloc(Math.min(bytes, 65_521));
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ bytes) >>> 0 || 1;
  for (let at = 0; at < block.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    block[at] = state >>> 11;
  }
  // Repeated at a prime distance: no power of two at which a mechanism might slip maps it onto itself.
  return bytes <= block.length ? block : Buffer.alloc(bytes, block);
}

export function assertSame(what: string, seen: Uint8Array, sent: Uint8Array): void {
  if (Buffer.compare(seen, sent) === 0) return;
  assert.equal(seen.length, sent.length, `${what}: ${sent.length} bytes were sent, ${seen.length} came back`);
  const at = seen.findIndex((byte, index) => byte !== sent[index]);
  assert.fail(`${what}: byte ${at} of ${sent.length} was sent as ${sent[at]} and came back as ${seen[at]}`);
}

/** The body of `Method.echoLater` and `Method.pooled`: how long to wait, then bytes to recognise it by. */
export function delayedBody(delayMs: number, seed: number, bytes = 32): Buffer {
  const body = pattern(Math.max(4, bytes), seed);
  body.writeUInt32LE(delayMs, 0);
  return body;
}

/** The largest body a request may have, at most `bytes`. */
export function bodyUpTo(bytes: number, { maxMessageBytes }: Capabilities): number {
  return Math.min(bytes, maxMessageBytes - HEADER_BYTES);
}

async function ask<Answer>(client: CheckClient, method: Method): Promise<Answer> {
  const reply = await client.request(new Uint8Array(0), { method });
  return JSON.parse(new TextDecoder().decode(reply));
}

export const statistics = (client: CheckClient): Promise<ServerStatistics> => ask(client, Method.statistics);
export const streamTotals = (client: CheckClient): Promise<StreamTotals> => ask(client, Method.streamTotals);

/** Asks until `wanted` one-way messages have arrived, or none came for a while. */
export async function collectTotals(client: CheckClient, wanted: number, quietMs = 2000): Promise<StreamTotals> {
  const sum = { received: 0, duplicated: 0, reordered: 0, corrupted: 0 };
  let changedMs = performance.now();
  for (;;) {
    const more = await streamTotals(client);
    for (const name of ["received", "duplicated", "reordered", "corrupted"] as const) sum[name] += more[name];
    if (more.received > 0) changedMs = performance.now();
    if (sum.received + sum.corrupted >= wanted || performance.now() - changedMs > quietMs) return sum;
    await delay(20);
  }
}

/** Asks again and again until the answer is yes. @throws AssertionError when it never is */
export async function eventually(
  what: string,
  holds: () => Promise<boolean> | boolean,
  limitMs: number = PATIENCE_MS,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, `${what}: not within ${limitMs} ms`);
    await delay(10);
  }
}

/** @throws AssertionError when `work` has not settled after the limit: a scenario says what it waited for. */
export async function within<Result>(
  what: string,
  work: Promise<Result>,
  limitMs: number = PATIENCE_MS,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new assert.AssertionError({ message: `${what}: nothing after ${limitMs} ms` })),
      limitMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The code of the error that `work` fails with. @throws AssertionError when it does not fail, or not with an IpcError */
export async function codeOf(what: string, work: Promise<unknown>, limitMs?: number): Promise<string> {
  const outcome = await within(
    what,
    work.then(
      () => ({ error: undefined }),
      (error: unknown) => ({ error }),
    ),
    limitMs,
  );
  assert.ok(outcome.error !== undefined, `${what} succeeded; it must fail`);
  const shortage = shortageIn(outcome.error);
  if (shortage !== undefined) throw shortage;
  assert.ok(isIpcError(outcome.error), `${what} failed with ${String(outcome.error)}, which is no IpcError`);
  return outcome.error.code;
}

/** Largest lateness of a 5 ms timer since its start: how much of a missed deadline is the machine's and this process's. */
export function watchLateness(): { stop(): number } {
  const everyMs = 5;
  let largest = 0;
  let dueMs = performance.now() + everyMs;
  const tick = (): void => {
    const now = performance.now();
    largest = Math.max(largest, now - dueMs);
    dueMs = now + everyMs;
  };
  const timer = setInterval(tick, everyMs);
  return {
    stop() {
      tick();
      clearInterval(timer);
      return largest;
    },
  };
}

/** Runs `work` and asserts that it settled by `limitMs`, give or take what the clock of this process was late. */
export async function meetsDeadline<Result>(
  what: string,
  limitMs: number,
  work: () => Promise<Result>,
): Promise<{ readonly result: PromiseSettledResult<Result>; readonly tookMs: number }> {
  const lateness = watchLateness();
  const startedMs = performance.now();
  const [result] = await within(what, Promise.allSettled([work()]), limitMs + 2000);
  const tookMs = performance.now() - startedMs;
  const allowedMs = limitMs + DEADLINE_SLACK_MS + lateness.stop();
  assert.ok(tookMs <= allowedMs, `${what} took ${tookMs.toFixed(0)} ms; ${allowedMs.toFixed(0)} ms were allowed`);
  return { result, tookMs };
}

/** Resident memory of a process, bytes; undefined where the system does not tell. */
export function residentBytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

export interface Resources {
  readonly threads: number;
  readonly descriptors: number;
}

/** What a process has now, seen from outside: it takes no connection, of which there may be few. */
export function resourcesOf(pid: number): Resources | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).length;
    return { threads, descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}

/** Everything of an address that is still there: what the mechanism admits, and every file in the check's own directory. */
export async function leftBehind(context: CheckContext, peer: Peer): Promise<string[]> {
  const admitted = (await context.residue(peer.address)).map(({ kind, name }) => `${kind} ${name}`);
  const files = readdirSync(context.place.directory, { recursive: true }).map((name) => `file ${String(name)}`);
  return [...new Set([...admitted, ...files])];
}

export async function assertNothingLeft(when: string, context: CheckContext, peer: Peer): Promise<void> {
  const left = await leftBehind(context, peer);
  assert.equal(left.length, 0, `${when}, ${left.length} left behind: ${left.slice(0, 3).join(", ")}`);
}

/** @throws AssertionError when this server neither answers nor, in a pattern without replies, is heard */
export async function assertServes(context: CheckContext, peer: Peer, who: string): Promise<void> {
  if (context.transport.capabilities.patterns.includes("request-reply")) {
    const client = await context.connect(peer);
    assertSame(`the reply of ${who}`, await client.request(pattern(20, peer.pid)), pattern(20, peer.pid));
    if (tellsStatistics(context.transport.capabilities, context.transport) === true) {
      const { pid } = await statistics(client);
      assert.equal(pid, peer.pid, `${who} is process ${peer.pid}, and process ${pid} answered`);
    }
    await client.close().catch(() => undefined);
    return;
  }
  const [heard] = await context.publish(peer, { subscribers: 1, messages: 5, bodyBytes: 20 });
  assert.ok((heard?.received ?? 0) > 0, `nothing is heard of what ${who} publishes`);
}

/** A client that was answered and stays; undefined in a pattern without replies, where the server was heard. */
export async function firstUse(context: CheckContext, peer: Peer): Promise<CheckClient | undefined> {
  if (!context.transport.capabilities.patterns.includes("request-reply")) {
    await assertServes(context, peer, "the server");
    return undefined;
  }
  const client = await context.connect(peer);
  assertSame("the first reply", await client.request(pattern(16, 1)), pattern(16, 1));
  return client;
}

/** Enough connections to have `requests` outstanding at once, each used up to what it carries. */
export async function connectFor(context: CheckContext, peer: Peer, requests: number): Promise<CheckClient[]> {
  const { maxInFlight } = context.transport.capabilities;
  const clients: CheckClient[] = [];
  for (let carried = 0; carried < requests; carried += maxInFlight) clients.push(await context.connect(peer));
  return clients;
}

/** Whether {@link connectFor} can: how many may be outstanding over all connections there may be. */
export function canHaveOutstanding(requests: number): Condition {
  return ({ maxInFlight, maxClients, rendezvous }) => {
    const most = maxInFlight * (rendezvous === "address" ? maxClients : 1);
    return most >= requests || `at most ${most} requests can be outstanding, and it takes ${requests}`;
  };
}
