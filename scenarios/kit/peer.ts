/** Questions of a check to a running server, and figures about its process from /proc. */
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
import { reportsStatistics } from "./conditions.ts";
import { expect, expectSame, within } from "./expect.ts";
import { pattern } from "./messages.ts";

async function ask<Answer>(client: CheckClient, method: Method): Promise<Answer> {
  const reply = await client.request(new Uint8Array(0), { method });
  return JSON.parse(new TextDecoder().decode(reply));
}

export const statistics = (client: CheckClient): Promise<ServerStatistics> => ask(client, Method.statistics);
export const usage = (client: CheckClient): Promise<ServerStatistics["usage"]> => ask(client, Method.usage);
export const streamTotals = (client: CheckClient): Promise<StreamTotals> => ask(client, Method.streamTotals);

/** Pause between two looks at what has arrived, ms. */
const LOOK_MS = 20;

/** Polls until `wanted` one-way messages have arrived, or until none has come for a while. */
export async function collectTotals(client: CheckClient, wanted: number, quietMs = 2000): Promise<StreamTotals> {
  const sum = { received: 0, duplicated: 0, reordered: 0, corrupted: 0 };
  // Counted in looks, not by the clock: while the machine keeps either side from running, nothing can come.
  for (let still = 0; still * LOOK_MS <= quietMs; still++) {
    const more = await streamTotals(client);
    for (const name of ["received", "duplicated", "reordered", "corrupted"] as const) sum[name] += more[name];
    if (sum.received + sum.corrupted >= wanted) break;
    if (more.received > 0) still = 0;
    await delay(LOOK_MS);
  }
  return sum;
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

/** Returns the time that the main thread waited for a CPU; 0 if unknown. A spinning thread waits long if others run. */
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

/** Returns the resources of a process, read from outside, because a connection would take one of the places. */
export function resourcesOf(pid: number): Resources | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).length;
    return { threads, descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}

/** Returns what is left at an address: the residue that the mechanism reports, and all files of the check. */
export async function leftBehind(context: CheckContext, peer: Peer): Promise<string[]> {
  const admitted = (await context.residue(peer.address)).map(({ kind, name }) => `${kind} ${name}`);
  const files = readdirSync(context.place.directory, { recursive: true }).map((name) => `file ${String(name)}`);
  return [...new Set([...admitted, ...files])];
}

export async function expectNothingLeft(when: string, context: CheckContext, peer: Peer): Promise<void> {
  const left = await leftBehind(context, peer);
  expect(left.length === 0, `${when}, ${left.length} left behind: ${left.slice(0, 3).join(", ")}`);
}

/** @throws CheckFailure if this server does not reply or, in a pattern without replies, does not publish */
export async function expectServes(context: CheckContext, peer: Peer, who: string): Promise<void> {
  if (context.transport.capabilities.patterns.includes("request-reply")) {
    const client = await context.connect(peer);
    expectSame(`the reply of ${who}`, await client.request(pattern(20, peer.pid)), pattern(20, peer.pid));
    if (reportsStatistics(context.transport.capabilities, context.transport) === true) {
      const { pid } = await statistics(client);
      expect(pid === peer.pid, `${who} is process ${peer.pid}, and process ${pid} answered`);
    }
    await client.close().catch(() => undefined);
    return;
  }
  const [heard] = await context.publish(peer, { subscribers: 1, messages: 5, bodyBytes: 20 });
  expect((heard?.received ?? 0) > 0, `no publication of ${who} arrived`);
}

/** Returns a client after its first reply. In a pattern without replies, waits for a publication; undefined. */
export async function firstUse(context: CheckContext, peer: Peer): Promise<CheckClient | undefined> {
  if (!context.transport.capabilities.patterns.includes("request-reply")) {
    await expectServes(context, peer, "the server");
    return undefined;
  }
  const client = await context.connect(peer);
  expectSame("the first reply", await client.request(pattern(16, 1)), pattern(16, 1));
  return client;
}

/** Opens enough connections for `requests` outstanding requests, if each is used up to its limit. */
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
