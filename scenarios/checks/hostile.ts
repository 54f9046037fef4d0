import { setImmediate as turnOfEventLoop } from "node:timers/promises";
import type { Capabilities } from "../../transports/contract/capabilities.ts";
import type { IpcError, IpcErrorCode } from "../../transports/contract/errors.ts";
import { bindChecksum, HEADER_BYTES, Kind, writeHeader } from "../../transports/contract/frame.ts";
import type { Condition } from "../check.ts";
import {
  type Check,
  type CheckClient,
  type CheckContext,
  type ClientOptions,
  Method,
  NotApplicable,
  type Peer,
} from "../check.ts";
import { hasAddress, hasMethods, hasRawClient, replies, takesKeys } from "../kit/conditions.ts";
import { expect, expectSame, within } from "../kit/expect.ts";
import { pattern } from "../kit/messages.ts";
import { expectEcho, residentBytes } from "../kit/peer.ts";

const MIB = 1024 * 1024;
/** Largest growth allowed, bytes: far more than a refusal needs, far less than the malformed bytes announce. */
const MEMORY_BOUND_BYTES = 128 * MIB;
const MOST_LORISES = 16;
const FLOOD = 200;
/** Errors with which a connection to a child that wrote rubbish or half a message may end; or it ends in order. */
const ENDS: ReadonlySet<string> = new Set<IpcErrorCode>(["IPC_MALFORMED", "IPC_TOO_LARGE", "IPC_PEER_LOST"]);
/** Longest time a server may take to refuse, ms. */
const GIVE_UP_MS = 500;

const severalClients: Condition = ({ maxClients }) =>
  maxClients > 1 || "it serves only one client, so it is right that others cannot connect";

/** Drops a condition for transports with children that write raw bytes, because it is not needed there. */
const unlessLaunched =
  (condition: Condition): Condition =>
  (capabilities, transport) =>
    transport.launchRaw !== undefined || condition(capabilities, transport);

const u32 = (value: number, bigEndian = false): Buffer => {
  const bytes = Buffer.alloc(4);
  if (bigEndian) bytes.writeUInt32BE(value);
  else bytes.writeUInt32LE(value);
  return bytes;
};

/** Bytes that a raw client sends before it hangs up, with length prefixes in both byte orders. */
const HOSTILE_BYTES: Readonly<Record<string, Uint8Array>> = {
  "zero bytes": Buffer.alloc(64),
  "an announcement of 4 GiB": Buffer.alloc(64, 0xff),
  "an announcement of 2 GiB": Buffer.concat([u32(0x7fffffff), pattern(4096, 1)]),
  "an announcement of 2 GiB, big-endian": Buffer.concat([u32(0x7fffffff, true), pattern(4096, 2)]),
  "a message cut short": Buffer.concat([u32(1000), pattern(100, 3)]),
  "a message cut short, big-endian": Buffer.concat([u32(1000, true), pattern(100, 4)]),
  "half a prefix": Buffer.of(0, 0),
  "a line of text": Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
  "random bytes": pattern(8192, 5),
};

export const hostileBytes: Check = {
  id: "hostile-bytes",
  title: "Malformed, oversize, truncated and empty frames end their sender; all other clients are served",
  why:
    "One broken client must not take the service from all others, nor make the server allocate what it announces. A " +
    "child that prints a log line where its messages belong is the most frequent case, so its parent must show the " +
    "line.",
  sharesPeer: true,
  typicalMs: 80,
  timeoutMs: 30_000,
  needs: [replies, unlessLaunched(hasRawClient), unlessLaunched(severalClients)],
  async run(context) {
    if (context.transport.launchRaw !== undefined) return attackParent(context);
    const guard = await Guard.set(context);
    for (const [what, bytes] of Object.entries(HOSTILE_BYTES)) {
      const rawClient = await context.connectRaw(guard.peer.address);
      await rawClient.write(bytes).catch(() => undefined);
      await guard.served(`while a raw client sends ${what}`);
      await rawClient[Symbol.asyncDispose]();
      await guard.served(`after a raw client sent ${what}`);
    }
    await guard.newcomer();
    context.note("attacks", Object.keys(HOSTILE_BYTES).length);
  },
};

/** Bytes that break the parsers of a runtime's own channel. */
const HOSTILE_TO_LIBRARIES: Readonly<Record<string, Uint8Array>> = {
  "a line that is no JSON": Buffer.from("hello\n"),
  "a value that was never sent": Buffer.concat([u32(4, true), Buffer.of(0xde, 0xad, 0xbe, 0xef)]),
  "a message of the runtime": Buffer.from('{"cmd":"NODE_HANDLE_ACK"}\n{"cmd":"NODE_HANDLE","type":"net.Socket"}\n'),
};

/**
 * Attacks the parent, which is this process: an uncaught exception in it fails the check. Meanwhile an honest child of
 * the same parent must be served.
 */
async function attackParent(context: CheckContext): Promise<void> {
  const guard = await Guard.set(context, process.pid);
  const attacks = Object.entries({ ...HOSTILE_BYTES, ...HOSTILE_TO_LIBRARIES });
  let refused = 0;
  for (const [what, bytes] of attacks) {
    const code = (await endOfChild(context, guard, what, bytes))?.code;
    expect(code === undefined || ENDS.has(code), `the connection to a child that wrote ${what} ended with ${code}`);
    refused += code === "IPC_MALFORMED" ? 1 : 0;
    await guard.served(`after a child wrote ${what}`);
  }
  if (context.transport.usesStandardOutput) await printLogLines(context, guard);
  expect(refused > 0, `${attacks.length} kinds of malformed bytes came, and none was reported as malformed`);
  context.note("attacks", attacks.length);
  context.note("refused", refused);
}

/** Returns the error with which the connection to a child ended that wrote these bytes. */
async function endOfChild(
  context: CheckContext,
  guard: Guard,
  what: string,
  bytes: Uint8Array,
): Promise<IpcError | undefined> {
  const closed = Promise.withResolvers<IpcError | undefined>();
  const rawClient = await context.launchRaw({
    onOpen() {},
    onMessage() {},
    onWritable() {},
    onClose: (_, error) => closed.resolve(error),
  });
  await rawClient.write(bytes).catch(() => undefined);
  await guard.served(`while a child writes ${what}`);
  await within(`the end of a child that wrote ${what}`, Promise.resolve(rawClient[Symbol.asyncDispose]()));
  return closed.promise;
}

/** Lines of a log, as text and as JSON, that a program prints on its standard output. */
const LOG_LINES = ["[info] server is ready", '{"level":30,"msg":"server is ready"}'];

/** Expects that the error of a parent shows the line which its child printed among its messages. */
async function printLogLines(context: CheckContext, guard: Guard): Promise<void> {
  for (const line of LOG_LINES) {
    const error = await endOfChild(context, guard, `the log line ${line}`, Buffer.from(`${line}\n`));
    expect(
      error?.code === "IPC_MALFORMED" && error.message.includes("server is ready"),
      `a child printed the log line ${line}; its parent got ${error?.code ?? "no error"} without that line`,
    );
  }
  context.note("log lines named", LOG_LINES.length);
}

/** Whole messages with a wrong header or body, as a program with another protocol would send. */
function hostileMessages({ maxMessageBytes }: Capabilities): Readonly<Record<string, Uint8Array>> {
  const frame = (kind: number, body: number, claimed: number, checksum: number, method = 0): Uint8Array => {
    const bytes = new Uint8Array(HEADER_BYTES + body);
    writeHeader(bytes, 7, kind as Kind, method, 0, claimed, checksum);
    return bytes;
  };
  return {
    "an empty message": new Uint8Array(0),
    "a message shorter than a header": pattern(HEADER_BYTES - 1, 6),
    "a message of an unknown kind": frame(200, 8, 8, 0),
    "a reply without a request": frame(Kind.reply, 8, 8, 0),
    "a request that claims more bytes than it has": frame(Kind.request, 8, 0xffffffff, 0),
    "a request that claims fewer bytes than it has": frame(Kind.request, 32, 8, 0),
    "a request whose checksum is wrong": frame(Kind.request, 32, 32, 0xdeadbeef),
    // Valid but empty requests, without the parameters that the methods expect.
    ...Object.fromEntries(
      [Method.echoLater, Method.descriptor, Method.recode].map((method) => [
        `an empty request of method ${method}`,
        frame(Kind.request, 0, 0, bindChecksum(0, 7), method),
      ]),
    ),
    "a one-way message whose checksum is wrong": frame(Kind.oneWay, 32, 32, 0xdeadbeef),
    "random bytes as a message": pattern(Math.min(1000, maxMessageBytes), 8),
  };
}

export const hostileMessage: Check = {
  id: "hostile-messages",
  title: "Whole messages that make no sense are refused or ignored; the server neither dies nor answers wrongly",
  why: "Input comes from other programs: lengths, kinds and checksums are claims until they are verified.",
  sharesPeer: true,
  typicalMs: 110,
  timeoutMs: 30_000,
  needs: [replies, hasMethods, hasAddress, severalClients],
  async run(context) {
    const guard = await Guard.set(context);
    const messages = Object.entries(hostileMessages(context.transport.capabilities));
    for (const [what, bytes] of messages) {
      const rogue = await context.connect(guard.peer);
      try {
        rogue.connection.send(bytes);
      } catch {
        // The mechanism may refuse to send a message that it cannot carry, such as an empty one.
      }
      await guard.served(`after ${what}`);
      await rogue.connection.close(500).catch(() => undefined);
    }
    await guard.newcomer();
    context.note("attacks", messages.length);
  },
};

export const slowLoris: Check = {
  id: "slow-loris",
  title: "Clients that send half a frame and wait delay no other client, and cost the server next to nothing",
  why: "A server that finishes one client before it reads the next is stopped by the slowest of them.",
  sharesPeer: true,
  typicalMs: 200,
  needs: [replies, hasRawClient, severalClients],
  async run(context) {
    const guard = await Guard.set(context);
    const { maxClients } = context.transport.capabilities;
    const lorises = Math.min(MOST_LORISES, Math.max(1, maxClients - 2));
    const rawClients = [];
    for (let index = 0; index < lorises; index++) {
      const rawClient = await context.connectRaw(guard.peer.address);
      // Half a prefix (of either byte order), or a whole prefix and a part of the announced message.
      const half = index % 2 === 0 ? Buffer.of(0, 0) : Buffer.concat([u32(32 * MIB), pattern(10, index)]);
      await rawClient.write(half).catch(() => undefined);
      rawClients.push(rawClient);
      await guard.served(`with ${index + 1} clients that sent half a frame`);
    }
    if (maxClients > lorises + 1) await guard.newcomer();
    for (const rawClient of rawClients) await rawClient[Symbol.asyncDispose]();
    await guard.served("after they left");
    context.note("slowClients", lorises);
  },
};

export const connectionFlood: Check = {
  id: "connection-flood",
  title: "A flood of connections is served or refused, never at the cost of earlier clients",
  why: "A client in a reconnect loop must not lock out its neighbours, nor leave the server without descriptors.",
  sharesPeer: true,
  typicalMs: 600,
  timeoutMs: 60_000,
  needs: [replies, hasAddress, severalClients],
  async run(context) {
    const guard = await Guard.set(context);
    const { maxClients, modes } = context.transport.capabilities;
    // A blocking connect stops this process until it gives up, so only one client too many is tried.
    const tooMany = modes[0] === "event" ? maxClients : 1;
    const flood = Math.min(FLOOD, maxClients + tooMany);
    const clients: CheckClient[] = [];
    const givingUp = new AbortController();
    const open = async (): Promise<void> => {
      clients.push(await context.connect(guard.peer, { signal: givingUp.signal }));
      // With the guard, all places are taken now, so the clients that still wait are cancelled.
      if (clients.length === maxClients - 1) setTimeout(() => givingUp.abort(), GIVE_UP_MS);
    };
    const opening: Promise<void>[] = [];
    while (opening.length < flood) {
      // A client may be refused.
      opening.push(open().catch(() => undefined));
      // A first step of some 30 ms each would stop this process for seconds, which counts as a blocked one.
      await turnOfEventLoop();
    }
    await guard.served("during the flood");
    await within("the flood", Promise.all(opening), 30_000);
    await guard.served("with the flood inside");
    await Promise.allSettled(clients.map((client) => client.connection.close(2000)));
    await guard.newcomer();
    context.note("attempts", flood);
    context.note("accepted", clients.length);
  },
};

/** Honest client that stays connected during the attack, and the memory of the attacked process before it. */
class Guard {
  readonly peer: Peer;
  readonly #context: CheckContext;
  readonly #client: CheckClient;
  readonly #endangeredPid: number;
  readonly #before: number | undefined;
  #round = 0;

  private constructor(context: CheckContext, peer: Peer, client: CheckClient, endangeredPid: number) {
    this.peer = peer;
    this.#context = context;
    this.#client = client;
    this.#endangeredPid = endangeredPid;
    this.#before = residentBytes(endangeredPid);
  }

  /** @param endangeredPid default: the server */
  static async set(context: CheckContext, endangeredPid?: number): Promise<Guard> {
    const peer = await context.startPeer();
    const client = await context.connect(peer);
    const guard = new Guard(context, peer, client, endangeredPid ?? peer.pid);
    await guard.served("before the attack");
    return guard;
  }

  async served(when: string): Promise<void> {
    const body = pattern(32, this.#round++);
    const reply = await this.#client.request(body, { timeoutMs: 3000 }).catch((error: unknown) => {
      throw new Error(`${when}, an honest client is not served: ${error instanceof Error ? error.message : error}`);
    });
    expectSame(`${when}, an honest client's reply`, reply, body);
    const grown = (residentBytes(this.#endangeredPid) ?? 0) - (this.#before ?? Number.POSITIVE_INFINITY);
    expect(
      grown < MEMORY_BOUND_BYTES,
      `${when}, process ${this.#endangeredPid} had grown by ${Math.round(grown / MIB)} MiB`,
    );
  }

  /** Connects a client after the attack. If there are few places, waits until those of the attackers are free. */
  async newcomer(): Promise<void> {
    const deadline = performance.now() + 5000;
    for (;;) {
      try {
        const client = await this.#context.connect(this.peer);
        await expectEcho("a newcomer's reply", client, pattern(32, 9), { timeoutMs: 2000 });
        await client.close();
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
      }
    }
  }
}

export const wrongKey: Check = {
  id: "wrong-key",
  title: "Between processes a client with the right key is served; one with a wrong key, or none, is refused",
  why: "A key that is not checked is worse than none, because users rely on it.",
  typicalMs: 250,
  needs: [replies, hasAddress, takesKeys],
  async run(context) {
    const key = pattern(32, 77);
    const peer = await context.startPeer({ key });
    const attempts = {
      "a wrong key": { key: pattern(32, 78) },
      "a longer key": { key: pattern(64, 77) },
      "no key": {},
    };
    for (const [what, options] of Object.entries(attempts)) {
      const code = await refusal(context, peer, options, what);
      expect(code === "IPC_AUTH_FAILED", `a client with ${what} was refused with ${code}`);
    }
    const client = await context.connect(peer, { key });
    await expectEcho("the reply to the right key", client, pattern(32, 1));
  },
};

/**
 * Returns the code of the refusal. In some protocols a client without a key has no handshake, and its first message is
 * refused. So this also checks that its request is not served.
 */
async function refusal(context: CheckContext, peer: Peer, options: ClientOptions, what: string): Promise<string> {
  const client = await context.connect(peer, options).catch((error: unknown) => error);
  if (client instanceof Error) return "code" in client ? String(client.code) : client.message;
  const guest = client as CheckClient;
  const served = await guest.request(pattern(32, 2), { timeoutMs: 1000 }).catch(() => undefined);
  expect(served === undefined, `a client with ${what} was let in and served`);
  const error = await within(`the refusal of a client with ${what}`, guest.closed);
  context.note("refusedAfterConnect", what);
  return error !== undefined && "code" in error ? String(error.code) : "an orderly close";
}

export const foreignUser: Check = {
  id: "foreign-user",
  title: "A process of another user cannot connect",
  why: "On a shared machine every local user can try every path, port and name.",
  sharesPeer: true,
  typicalMs: 850,
  needs: [
    replies,
    hasAddress,
    ({ auth }) => auth.includes("permissions") || "it has no permissions: every user of this machine can connect",
  ],
  async run(context) {
    if (process.platform === "win32") throw new NotApplicable("Windows has no user nobody to try it as");
    const { connected, refusal } = await context.connectAsNobody(await context.startPeer());
    expect(!connected, "a process of the user nobody connected");
    expect(/^IPC_/.test(refusal ?? ""), "the user nobody was refused with an error that is no IpcError");
    context.note("refusal", (refusal ?? "").slice(0, 120));
  },
};
