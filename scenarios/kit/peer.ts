/** Questions that a check asks a running server, and figures that /proc has of its process. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Address } from "../../transports/contract/transport.ts";
import {
  type CheckClient,
  type CheckContext,
  Method,
  type Peer,
  type PeerExit,
  type RequestOptions,
  type ServerStatistics,
  type StreamTotals,
} from "../check.ts";
import { tellsStatistics } from "./conditions.ts";
import { expect, expectSame, within } from "./expect.ts";
import { pattern } from "./messages.ts";

async function ask<Answer>(client: CheckClient, method: Method): Promise<Answer> {
  const reply = await client.request(new Uint8Array(0), { method });
  return JSON.parse(new TextDecoder().decode(reply));
}

export const statistics = (client: CheckClient): Promise<ServerStatistics> => ask(client, Method.statistics);
export const usage = (client: CheckClient): Promise<ServerStatistics["usage"]> => ask(client, Method.usage);
export const streamTotals = (client: CheckClient): Promise<StreamTotals> => ask(client, Method.streamTotals);

/** Polls until `wanted` one-way messages have arrived, or none came for a while. */
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

/** Returns the resident memory of a process, bytes; undefined where the system does not report it. */
export function residentBytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

/** Returns the time its main thread waited for a CPU, since one that spins gets few on a busy machine. 0 if unknown. */
export function waitedMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}

export interface Resources {
  readonly threads: number;
  readonly descriptors: number;
}

/** Returns the resources of a process, read from outside: a connection would take one of the few places. */
export function resourcesOf(pid: number): Resources | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).length;
    return { threads, descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}

/** Returns what is left of an address: the mechanism's own residue, and every file in the check's directory. */
export async function leftBehind(context: CheckContext, peer: Peer): Promise<string[]> {
  const admitted = (await context.residue(peer.address)).map(({ kind, name }) => `${kind} ${name}`);
  const files = readdirSync(context.place.directory, { recursive: true }).map((name) => `file ${String(name)}`);
  return [...new Set([...admitted, ...files])];
}

export async function expectNothingLeft(when: string, context: CheckContext, peer: Peer): Promise<void> {
  const left = await leftBehind(context, peer);
  expect(left.length === 0, `${when}, ${left.length} left behind: ${left.slice(0, 3).join(", ")}`);
}

/** @throws CheckFailure when this server neither replies nor, in a pattern without replies, publishes */
export async function expectServes(context: CheckContext, peer: Peer, who: string): Promise<void> {
  if (context.transport.capabilities.patterns.includes("request-reply")) {
    const client = await context.connect(peer);
    expectSame(`the reply of ${who}`, await client.request(pattern(20, peer.pid)), pattern(20, peer.pid));
    if (tellsStatistics(context.transport.capabilities, context.transport) === true) {
      const { pid } = await statistics(client);
      expect(pid === peer.pid, `${who} is process ${peer.pid}, and process ${pid} answered`);
    }
    await client.close().catch(() => undefined);
    return;
  }
  const [heard] = await context.publish(peer, { subscribers: 1, messages: 5, bodyBytes: 20 });
  expect((heard?.received ?? 0) > 0, `no publication of ${who} arrived`);
}

/** Returns a client that had a reply and stays; undefined in a pattern without replies, after a publication. */
export async function firstUse(context: CheckContext, peer: Peer): Promise<CheckClient | undefined> {
  if (!context.transport.capabilities.patterns.includes("request-reply")) {
    await expectServes(context, peer, "the server");
    return undefined;
  }
  const client = await context.connect(peer);
  expectSame("the first reply", await client.request(pattern(16, 1)), pattern(16, 1));
  return client;
}

/** Opens enough connections for `requests` outstanding at once, each used up to its limit. */
export async function connectFor(context: CheckContext, peer: Peer, requests: number): Promise<CheckClient[]> {
  const { maxInFlight } = context.transport.capabilities;
  const clients: CheckClient[] = [];
  for (let carried = 0; carried < requests; carried += maxInFlight) clients.push(await context.connect(peer));
  return clients;
}

/** @throws CheckFailure unless the echo equals the body */
export async function expectEcho(
  what: string,
  client: CheckClient,
  body: Uint8Array,
  options?: RequestOptions,
): Promise<void> {
  expectSame(what, await client.request(body, options), body);
}

/** @throws CheckFailure while the system holds something for this address */
export async function expectNoResidue(context: CheckContext, address: Address, when = "left behind"): Promise<void> {
  const left = await context.residue(address);
  expect(left.length === 0, `${when}: ${left.map((object) => object.name).join(", ")}`);
}

export async function expectOrderlyExit(who: string, ended: Promise<PeerExit>): Promise<void> {
  const { code, signal } = await within(`the end of ${who}`, ended);
  expect(code === 0, `${who} ended with ${code ?? signal}`);
}
