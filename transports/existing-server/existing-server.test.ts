import { describe, expect, it, vi } from "vitest";
import type { IpcError } from "../contract/errors.ts";
import { HEADER_BYTES, Kind, readId, readKind, readStatus, Status, writeHeader } from "../contract/frame.ts";
import type { Connection, ConnectionHandler } from "../contract/transport.ts";
import { addressOf, placeOf, socketPath, whereOf } from "./address.ts";
import { type ExistingServer, existingServer, type ServerClient } from "./existing-server.ts";

const PLACE = { directory: "/d", prefix: "ipcmark-0123456789abcdef" };
const ADDRESS = { transport: "mine", name: "/d/a.sock" };

type Server = ExistingServer<{ readonly path: string }>;

function serverWith(client: Partial<ServerClient>, rest: Partial<Server> = {}): Server {
  return {
    id: "mine",
    command: ["true"],
    connect: () => ({ request: async (body) => body, close() {}, ...client }),
    ...rest,
  };
}

function frame(method: number, body: Uint8Array, kind: Kind = Kind.request): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES + body.length);
  message.set(body, HEADER_BYTES);
  writeHeader(message, 7, kind, method, 0, body.length, 0);
  return message;
}

/** Messages that a client over this half has received, and the end of its connection. */
async function connected(server: Server): Promise<{
  readonly connection: Connection;
  readonly replies: Uint8Array[];
  readonly ended: Promise<IpcError | undefined>;
}> {
  const replies: Uint8Array[] = [];
  const ended = Promise.withResolvers<IpcError | undefined>();
  const handler: ConnectionHandler = {
    onOpen() {},
    onMessage: (message) => void replies.push(Uint8Array.from(message)),
    onWritable() {},
    onClose: (_, error) => ended.resolve(error),
  };
  const connection = await existingServer(server).event?.connect(ADDRESS, handler);
  return { connection: connection as Connection, replies, ended: ended.promise };
}

const BODY = Uint8Array.of(1, 2, 3);

describe("a client half of a user's", () => {
  it("gets the body alone, and its verified reply comes back under the id of the request", async () => {
    const sent: Uint8Array[] = [];
    const request = async (body: Uint8Array): Promise<Uint8Array> => {
      sent.push(body);
      return Uint8Array.of(3, 2, 1);
    };
    const verify = (asked: Uint8Array, reply: Uint8Array): boolean =>
      Buffer.compare(Buffer.from(asked).reverse(), reply) === 0;
    const { connection, replies } = await connected(serverWith({ request }, { verify }));
    const message = frame(0, BODY);
    expect(connection.send(message)).toBe(true);
    message.fill(0);
    await vi.waitFor(() => expect(replies).toHaveLength(1), 8000);
    const [reply = BODY] = replies;
    expect([readId(reply), readKind(reply), readStatus(reply)]).toEqual([7, Kind.reply, Status.ok]);
    expect([reply.slice(HEADER_BYTES), sent[0]]).toEqual([BODY, BODY]);
  });

  it("sees nothing but echoes: other methods are unknown, and what is no request is refused", async () => {
    const request = vi.fn();
    const { connection, replies } = await connected(serverWith({ request }));
    connection.send(frame(5, BODY));
    await vi.waitFor(() => expect(replies.map(readStatus)).toEqual([Status.unknownMethod]), 8000);
    expect(() => connection.send(frame(0, BODY, Kind.oneWay))).toThrow(
      expect.objectContaining({ code: "IPC_UNSUPPORTED" }),
    );
    expect(request).not.toHaveBeenCalled();
  });

  it.each<[string, unknown, string, string]>([
    [
      "that is not the request",
      async () => Uint8Array.of(9),
      "IPC_MALFORMED",
      "mine answered wrongly: a reply of 1 bytes to a request of 3 bytes",
    ],
    [
      "of the right length with other bytes",
      async () => Uint8Array.of(1, 2, 4),
      "IPC_MALFORMED",
      "a reply of 3 bytes to a request of 3 bytes, but not the same bytes",
    ],
    ["that is no bytes", async () => "text", "IPC_MALFORMED", "mine answered wrongly: request() resolved with string"],
    ["that cannot be parsed", async () => JSON.parse("{"), "IPC_MALFORMED", "mine answered wrongly: "],
    ["that does not come", async () => Promise.reject(new Error("hung up")), "IPC_PEER_LOST", "mine: hung up"],
    [
      "behind a wrapped errno",
      async () =>
        Promise.reject(new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "EPIPE" }) })),
      "IPC_PEER_LOST",
      "mine: x",
    ],
  ])("ends its connection with a reply %s", async (_, request, code, message) => {
    const close = vi.fn();
    const { connection, ended } = await connected(serverWith({ request: request as ServerClient["request"], close }));
    connection.send(frame(0, BODY));
    expect(await ended).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(close).toHaveBeenCalledOnce();
  });

  it("whose own verify refuses a reply is named as that", async () => {
    const { connection, ended } = await connected(serverWith({}, { verify: () => false }));
    connection.send(frame(0, BODY));
    expect(await ended).toMatchObject({ message: expect.stringMatching(/3 bytes, and verify returned false$/) });
  });

  it("without the two functions is refused", async () => {
    const connect = (() => ({})) as unknown as Server["connect"];
    await expect(connected(serverWith({}, { connect }))).rejects.toThrow("mine: connect must give an object");
  });

  it("tells of a server that left, and of one that was lost, where it has `closed`", async () => {
    const left = await connected(serverWith({ closed: Promise.resolve() }));
    expect(await left.ended).toBeUndefined();
    const lost = await connected(serverWith({ closed: Promise.reject(new Error("gone")) }));
    expect(await lost.ended).toMatchObject({ code: "IPC_PEER_LOST" });
  });

  it("claims no more than its user does", () => {
    const { capabilities } = existingServer(serverWith({}, { capabilities: { maxInFlight: 8 } }));
    expect(capabilities).toMatchObject({ maxInFlight: 8, ordering: "none", peerLoss: "undetected" });
    expect(capabilities.platforms).toEqual([process.platform]);
    expect(capabilities.packages).toBeUndefined();
  });

  it.each<[string, object, string]>([
    ["no command", { command: undefined }, "existingServer: command must be a list of texts"],
    ["a sentence for a command", { command: "node server.mjs" }, "existingServer: command must be a list of texts"],
    ["a text for ready", { ready: "listening" }, "existingServer: ready must be a regular expression"],
    [
      "a minute to come up",
      { readyTimeoutMs: 60_000 },
      "existingServer: readyTimeoutMs must be more than 0 and at most",
    ],
    ["no client half", { connect: undefined }, "existingServer: connect must be a function"],
  ])("with %s is refused", (_, fault, message) => {
    expect(() => existingServer({ ...serverWith({}), ...fault } as Server)).toThrow(message);
  });
});

describe("an address of a user's server", () => {
  it("travels as plain data and comes back", () => {
    for (const where of [{ path: "/d/a.sock" }, { host: "127.0.0.1", port: 8080 }]) {
      expect(whereOf(JSON.parse(JSON.stringify(addressOf("mine", where))))).toEqual(where);
    }
    expect(() => addressOf("mine", undefined)).toThrow("address must return { path } or { host, port }");
  });

  it("is another one for each server", () => {
    expect(socketPath(placeOf(PLACE))).not.toEqual(socketPath(placeOf(PLACE)));
  });
});
