import { closeSync, fstatSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { setTimeout as delay, setImmediate } from "node:timers/promises";
import type { PeerExit } from "../../../scenarios/check.ts";
import type { Address, Place, RawClient, Transport } from "../../../transports/contract/transport.ts";
import { bridgeBlocking } from "../../../transports/support/blocking-bridge.ts";
import type { RunningPeer } from "../../driver/peers/running-peer.ts";
import { startPeer } from "../../driver/peers/start-peer.ts";
import { allocate } from "../../process/journal.ts";
import type { RpcClient } from "../../rpc/client.ts";
import { randomFrame } from "./random-frames.ts";

export interface Damage {
  readonly figures: string;
  readonly findings: readonly string[];
}

/** Longest wait for what must happen, ms; generous, because a busy machine is no finding. */
const PATIENCE_MS = 20_000;
const MOST_PER_CONNECTION = 40;
/** Number of raw clients that stay, perhaps with half a message, while others come. */
const LINGERING = 4;
/** Refusals in a row after which the server is taken to accept nobody any more. */
const MOST_REFUSALS = 50;
const MIB = 1024 * 1024;
const MOST_GROWTH_BYTES = 128 * MIB;
const MOST_NEW_DESCRIPTORS = 8;
const WARM_UP = 200;
const WRITES_PER_SERVER = 200;
const MOST_WRITTEN_BYTES = 64;
const REQUEST_MS = 200;
/** Limit of closing, ms: the other side may be past answering. */
const CLOSE_MS = 300;

export const isOfSegments = ({ id }: Transport): boolean => /^(shm|mmap)\//.test(id);

/** Starts a server and, where it replies, an honest client of it. */
async function start(
  transport: Transport,
  place: Place,
): Promise<{ peer: RunningPeer; honest: RpcClient | undefined }> {
  const reference = { id: transport.id, module: null };
  const address = await allocate(transport, reference, place, place);
  const { modes, patterns } = transport.capabilities;
  const peer = await startPeer({
    transport,
    reference,
    mode: modes[0],
    address,
    pin: [],
    language: "node",
    onSpawn() {},
  });
  return { peer, honest: patterns.includes("request-reply") ? await peer.connect() : undefined };
}

/** Attack on a server by raw clients, or on this process by its children. */
class Siege {
  readonly findings: string[] = [];
  readonly #endangeredPid: number;
  readonly #honest: RpcClient | undefined;
  #before = { residentBytes: 0, descriptors: 0 };
  #served = 0;
  sent = 0;
  connections = 0;

  constructor(endangeredPid: number, honest: RpcClient | undefined) {
    this.#endangeredPid = endangeredPid;
    this.#honest = honest;
  }

  /** Records the state after some use, when buffers and caches have the size they keep. */
  async begin(): Promise<void> {
    for (let request = 0; request < WARM_UP; request++) await this.served();
    this.#before = useOf(this.#endangeredPid);
  }

  async served(): Promise<void> {
    const body = Buffer.from(`request ${this.#served++}`);
    const reply = await this.#honest?.request(body, { timeoutMs: PATIENCE_MS });
    if (reply !== undefined && !body.equals(reply)) this.findings.push(`a wrong reply after ${this.sent} frames`);
  }

  /** Writes a burst of frames. Frames that the other side does not take any more are no finding. */
  async burst(rawClient: RawClient, random: () => number): Promise<void> {
    this.connections++;
    for (let left = 1 + Math.floor(random() * MOST_PER_CONNECTION); left > 0; left--) {
      const frame = randomFrame(random);
      this.sent++;
      const taken = await Promise.race([
        rawClient.write(frame).then(
          () => true,
          () => false,
        ),
        rawClient.closed.then(() => false),
        // A server may stop reading from a client that sends nonsense.
        delay(100, true, { ref: false }),
      ]);
      if (!taken) return;
    }
  }

  /** Waits until memory and descriptors are given back, which may take a while. */
  async end(): Promise<Damage> {
    const deadlineMs = performance.now() + PATIENCE_MS;
    let growth = this.#growth();
    while (growth.excessive && performance.now() < deadlineMs) {
      await delay(100);
      growth = this.#growth();
    }
    if (growth.excessive) this.findings.push(`grown by ${growth.text}`);
    const served = this.#honest === undefined ? "" : `, ${this.#served} honest replies`;
    return {
      figures: `${this.sent} frames in ${this.connections} connections${served}, ${growth.text}`,
      findings: this.findings,
    };
  }

  #growth(): { readonly text: string; readonly excessive: boolean } {
    const now = useOf(this.#endangeredPid);
    const bytes = now.residentBytes - this.#before.residentBytes;
    const descriptors = now.descriptors - this.#before.descriptors;
    return {
      text: `${Math.round(bytes / MIB)} MiB and ${descriptors} descriptors`,
      excessive: bytes > MOST_GROWTH_BYTES || descriptors > MOST_NEW_DESCRIPTORS,
    };
  }
}

function useOf(pid: number): { readonly residentBytes: number; readonly descriptors: number } {
  try {
    const kilobytes = /^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return { residentBytes: Number(kilobytes) * 1024, descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return { residentBytes: 0, descriptors: 0 };
  }
}

/** Waits with a limit. @throws Error when it takes too long */
async function within<Result>(what: string, work: Promise<Result>): Promise<Result> {
  const late = Symbol("late");
  const result = await Promise.race([work, delay(PATIENCE_MS, late, { ref: false })]);
  if (result === late) throw new Error(`${what}: nothing within ${PATIENCE_MS} ms`);
  return result as Result;
}

const dismiss = (rawClient: RawClient): Promise<void> =>
  within("the end of a raw client", Promise.resolve(rawClient[Symbol.asyncDispose]()));

export async function attackServer(
  transport: Transport,
  place: Place,
  frames: number,
  random: () => number,
): Promise<Damage> {
  const { peer, honest } = await start(transport, place);
  const siege = new Siege(peer.info.pid, honest);
  let ended = false;
  void peer.exited.then(() => {
    ended = true;
  });
  try {
    await siege.begin();
    const lingering: RawClient[] = [];
    let refusals = 0;
    while (siege.sent < frames && refusals < MOST_REFUSALS && !ended) {
      const rawClient = await within("a connection", enter(transport, peer.address));
      refusals = rawClient === undefined ? refusals + 1 : 0;
      if (rawClient !== undefined) {
        await siege.burst(rawClient, random);
        lingering.push(rawClient);
      } else await delay(20);
      if (lingering.length > LINGERING) await dismiss(lingering.shift() as RawClient);
      await siege.served();
    }
    if (refusals === MOST_REFUSALS) siege.findings.push(`every connection is refused after ${siege.sent} frames`);
    for (const rawClient of lingering) await dismiss(rawClient);
    await siege.served();
  } catch (error) {
    siege.findings.push(`after ${siege.sent} frames: ${(error as Error).message}`);
  }
  const damage = await siege.end();
  return { ...damage, findings: [...damage.findings, ...(await orderlyEnd(peer, ended))] };
}

async function enter(transport: Transport, address: Address): Promise<RawClient | undefined> {
  return transport.connectRaw?.(address).catch(() => undefined);
}

async function orderlyEnd(peer: RunningPeer, ended: boolean): Promise<string[]> {
  const { code, signal } = ended ? await peer.exited : await within("the end of the server", peer.stop());
  if (ended) return [`the server ended with ${code ?? signal}: ${peer.failure()?.message}`];
  return code === 0 ? [] : [`the server was asked to stop and ended with ${code ?? signal}`];
}

/** Attacks this process, the parent: an uncaught error is a finding. */
export async function attackParent(
  transport: Transport,
  place: Place,
  frames: number,
  random: () => number,
): Promise<Damage> {
  const { peer, honest } = await start(transport, place);
  const siege = new Siege(process.pid, honest);
  const uncaught = (error: unknown): void =>
    void siege.findings.push(`uncaught: ${(error as Error)?.message ?? error}`);
  process.on("uncaughtException", uncaught).on("unhandledRejection", uncaught);
  try {
    await siege.begin();
    while (siege.sent < frames) {
      let closings = 0;
      const handler = { onOpen() {}, onMessage() {}, onWritable() {}, onClose: () => void closings++ };
      const rawClient = await within("a child", (transport.launchRaw as NonNullable<Transport["launchRaw"]>)(handler));
      await siege.burst(rawClient, random);
      await dismiss(rawClient);
      if (closings !== 1) siege.findings.push(`onClose was called ${closings} times after ${siege.sent} frames`);
      await siege.served();
    }
  } catch (error) {
    siege.findings.push(`after ${siege.sent} frames: ${(error as Error).message}`);
  }
  const damage = await siege.end();
  return { ...damage, findings: [...damage.findings, ...(await orderlyEnd(peer, false))] };
}

/**
 * Scribbles over the segments of a server and of an honest client while they talk. Wrong data is no finding: a writer
 * there may do anything to it. Findings are a process that a signal ends, a call that exceeds its limit, and a newcomer
 * that is not served although only the segments of another client are damaged.
 */
export async function attackSegments(
  transport: Transport,
  place: Place,
  frames: number,
  random: () => number,
): Promise<Damage> {
  const bridged = { ...transport, event: transport.event ?? bridgeBlocking(transport) };
  const total: Scribbled = { written: 0, replies: 0, newcomers: 0, findings: [] };
  let servers = 0;
  while (total.written < frames && total.findings.length === 0) {
    servers++;
    await scribbleOnServer(bridged, place, Math.min(frames, total.written + WRITES_PER_SERVER), random, total);
  }
  const { written, replies, newcomers, findings } = total;
  const honest = `${replies} honest replies, ${newcomers} newcomers`;
  const figures = `${written} writes into segments of ${servers} servers, ${honest}`;
  return { figures, findings };
}

interface Scribbled {
  written: number;
  replies: number;
  newcomers: number;
  readonly findings: string[];
}

async function scribbleOnServer(
  transport: Transport,
  place: Place,
  most: number,
  random: () => number,
  total: Scribbled,
): Promise<void> {
  const { peer, honest } = await start(transport, place);
  const finding = (what: string): unknown => total.findings.push(`after ${total.written} writes: ${what}`);
  let ended: PeerExit | undefined;
  void peer.exited.then((exit) => {
    ended = exit;
  });
  let talking = true;
  const talk = async (): Promise<void> => {
    while (talking && ended === undefined) {
      const reply = honest?.request(Buffer.alloc(200, total.replies), { timeoutMs: REQUEST_MS });
      await reply?.then(
        () => total.replies++,
        () => undefined,
      );
      await setImmediate();
    }
  };
  const spareServer = random() < 0.5;
  try {
    const talked = talk();
    const paths = (await transport.residue(peer.address))
      .filter(({ name }) => !spareServer || name !== peer.address.name)
      .flatMap(({ kind, name }) => (kind === "shm" ? [`/dev/shm${name}`] : kind === "path" ? [name] : []));
    while (total.written < most) {
      scribble(paths[Math.floor(random() * paths.length)] as string, random);
      if (++total.written % 5 === 0) await delay(1);
    }
    talking = false;
    await within(`a request with a limit of ${REQUEST_MS} ms`, talked);
    await within(
      "the close of a client",
      honest?.connection.close(CLOSE_MS).catch(() => undefined) ?? Promise.resolve(),
    );
    if (spareServer && ended === undefined) {
      await newcomer(peer);
      total.newcomers++;
    }
  } catch (error) {
    finding((error as Error).message);
  }
  if (ended === undefined) await within("the end of the server", peer.kill("SIGTERM"));
  else if ((ended as PeerExit).signal !== null) finding(`${(ended as PeerExit).signal} ended the server`);
  else finding(`the server ended by itself: ${peer.failure()?.message}`);
  await transport.sweep(peer.address);
}

async function newcomer(peer: RunningPeer): Promise<void> {
  const client = await within("a newcomer's connection", peer.connect());
  await within("a newcomer's reply", client.request(Buffer.from("new"), { timeoutMs: PATIENCE_MS }));
  await client.close();
}

function scribble(path: string, random: () => number): void {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r+");
  } catch {
    // It has been removed: the server let go of a broken client.
    return;
  }
  try {
    const { size } = fstatSync(descriptor);
    const bytes = Buffer.from(
      Array.from({ length: 1 + Math.floor(random() * MOST_WRITTEN_BYTES) }, () => random() * 256),
    );
    // Positions, marks and lengths lie at the beginning: half of all writes go there.
    const room = Math.max(1, (random() < 0.5 ? Math.min(size, 4096) : size) - bytes.length);
    if (size > bytes.length) writeSync(descriptor, bytes, 0, bytes.length, Math.floor(random() * room));
  } finally {
    closeSync(descriptor);
  }
}
