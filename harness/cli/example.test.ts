import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished, vi } from "vitest";
import WebSocket from "ws";
import { fixtureReport } from "../../reports/testing/fixture.ts";
import { exampleDirectory, exampleOf } from "../../transports/examples.ts";
import { MessageQueue, SharedMemory } from "../../transports/posix/index.ts";
import { findBroker } from "../../transports/redis/broker.ts";
import { REGISTRY } from "../../transports/registry.ts";
import type { Report } from "../results/model.ts";
import { eventually } from "../testing/sandbox.ts";
import { copyExample, exampleLine } from "./example.ts";

const ROOT = join(import.meta.dirname, "../..");
const LIMIT_MS = 50_000;
/** Deadlines of the copies: longer than a busy machine takes, and short where nobody replies. */
const [PATIENT_MS, HASTY_MS] = [20_000, 300];
const home = mkdtempSync(join(tmpdir(), "example-"));
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  // Names of servers that a failed test has left.
  if (process.platform === "linux") for (const kind of [SharedMemory, MessageQueue]) kind.unlink(unique);
  rmSync(home, { recursive: true, force: true });
});

/** Gives the copies the packages they name, as `npm install` would: ipcmark itself from the source. */
function install(): void {
  const own = join(home, "node_modules/ipcmark");
  mkdirSync(own, { recursive: true });
  const parts = { "./posix": "posix", "./python-connection": "python-connection" };
  for (const folder of Object.values(parts))
    writeFileSync(
      join(own, `${folder}.mjs`),
      `export * from ${JSON.stringify(join(ROOT, `transports/${folder}/index.ts`))};\n`,
    );
  const exports = Object.fromEntries(Object.entries(parts).map(([name, folder]) => [name, `./${folder}.mjs`]));
  writeFileSync(join(own, "package.json"), JSON.stringify({ name: "ipcmark", exports }));
  for (const name of ["zeromq", "@grpc", "@redis", "ws"])
    symlinkSync(join(ROOT, "node_modules", name), join(home, "node_modules", name));
}
install();

/** Copies an example to a folder of its own, with a deadline that the test chooses. */
function copied(id: string): string {
  const folder = join(home, id.replace("/", "-"));
  copyExample(exampleOf(id) as NonNullable<ReturnType<typeof exampleOf>>, folder);
  const path = join(folder, "client.mjs");
  const text = readFileSync(path, "utf8");
  const changed = text.replace("DEADLINE_MS = 1000;", "DEADLINE_MS = Number(process.env.DEADLINE_MS);");
  expect(changed).not.toBe(text);
  writeFileSync(path, changed);
  return folder;
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(
  path: string,
  args: readonly string[],
  deadlineMs = PATIENT_MS,
): { child: ChildProcess; ready: Promise<void>; end: Promise<Ended> } {
  const child = spawn(path.endsWith(".py") ? "python3" : process.execPath, [path, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, DEADLINE_MS: String(deadlineMs) },
  });
  running.add(child);
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  let stdout = "";
  let stderr = "";
  const ready = Promise.withResolvers<void>();
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    if (stdout.startsWith("ready\n")) ready.resolve();
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const end = new Promise<Ended>((resolve) => {
    child.once("close", (code) => {
      clearTimeout(timer);
      running.delete(child);
      ready.reject(new Error(`${path} ended: ${stderr}`));
      resolve({ code, stdout, stderr });
    });
  });
  ready.promise.catch(() => undefined);
  return { child, ready: ready.promise, end };
}

const client = (folder: string, ...args: readonly string[]): Promise<Ended> =>
  start(join(folder, "client.mjs"), args).end;

/** Runs a client that does not wait long. */
const hasty = (folder: string, ...args: readonly string[]): Promise<Ended> =>
  start(join(folder, "client.mjs"), args, HASTY_MS).end;

interface Case {
  readonly id: string;
  /** Place of the server, made unique by the name of the temporary folder. */
  readonly place: string;
  readonly server?: string;
  /** Files that exist while it serves, with their modes. */
  readonly modes: Readonly<Record<string, number>>;
  /** Text that is too long for the mechanism, and the message. */
  readonly tooLong?: readonly [number, RegExp];
}

const unique = `/${home.split("/").at(-1)}`;
const at = (name: string): string => join(home, name);
const CASES: readonly Case[] = [
  { id: "unix", place: at("unix.sock"), modes: { [at("unix.sock")]: 0o600 } },
  { id: "local-socket", place: at("py.sock"), server: "server.py", modes: { [at("py.sock")]: 0o600 } },
  {
    id: "fifo",
    place: at("fifos"),
    modes: { [at("fifos")]: 0o700, [at("fifos/requests")]: 0o600 },
    tooLong: [4091, /4091 bytes; the limit is 4090/],
  },
  { id: "http/unix", place: at("http.sock"), modes: { [at("http.sock")]: 0o600 } },
  { id: "ws/unix", place: at("ws.sock"), modes: { [at("ws.sock")]: 0o600 } },
  { id: "http2/unix", place: at("http2.sock"), modes: { [at("http2.sock")]: 0o600 } },
  {
    id: "shm/futex",
    place: unique,
    modes: { [`/dev/shm${unique}`]: 0o600 },
    tooLong: [65_537, /65537 bytes; the limit is 65536/],
  },
  { id: "posix-mq", place: unique, modes: {}, tooLong: [4096, /4096/] },
  { id: "zeromq/dealer-router", place: at("zeromq.sock"), modes: { [at("zeromq.sock")]: 0o600 } },
  { id: "grpc/unary", place: at("grpc.sock"), modes: { [at("grpc.sock")]: 0o600 } },
  { id: "file-drop/watch", place: at("drop"), modes: { [at("drop")]: 0o700 } },
  {
    id: "python-connection",
    place: at("python.sock"),
    server: "server.py",
    modes: { [at("python.sock")]: 0o600, [at("python.sock.key")]: 0o600 },
  },
];

const DEADLINE = /no reply within 300 ms|DEADLINE_EXCEEDED|no message within 300 ms|waited 300 ms/;

describe.skipIf(process.platform !== "linux")("an example serves, keeps its limits and leaves nothing", () => {
  it.concurrent.each(CASES)("$id", async ({ id, place, server = "server.mjs", modes, tooLong }) => {
    const folder = copied(id);
    const first = start(join(folder, server), [place]);
    await first.ready;
    expect(await client(folder, place, "hello", "world")).toEqual({ code: 0, stdout: "HELLO\nWORLD\n", stderr: "" });
    for (const [path, mode] of Object.entries(modes)) expect(statSync(path).mode & 0o777, path).toBe(mode);
    if (tooLong !== undefined) {
      const refused = await client(folder, place, "x".repeat(tooLong[0]));
      expect(refused).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(tooLong[1]) });
    }
    first.child.kill("SIGSTOP");
    expect(await hasty(folder, place, "late")).toMatchObject({ code: 1, stderr: expect.stringMatching(DEADLINE) });
    first.child.kill("SIGCONT");
    // The late reply to the client before is not taken for the one to this client.
    expect(await client(folder, place, "again")).toEqual({ code: 0, stdout: "AGAIN\n", stderr: "" });
    first.child.kill("SIGKILL");
    await first.end;
    const second = start(join(folder, server), [place]);
    await second.ready;
    expect(await client(folder, place, "new")).toMatchObject({ code: 0, stdout: "NEW\n" });
    second.child.kill("SIGTERM");
    expect((await second.end).code).toBe(0);
    const left = Object.keys(modes).filter((path) => existsSync(path) && !path.startsWith(at("drop")));
    expect(left).toEqual([]);
    if (id.startsWith("file-drop"))
      expect(["requests", "replies"].flatMap((name) => readdirSync(join(place, name)))).toEqual([]);
    if (id === "posix-mq") expect(await client(folder, place, "nobody")).toMatchObject({ code: 1 });
  });

  it.skipIf(findBroker() === undefined)("redis/list", async () => {
    const folder = copied("redis/list");
    const place = at("redis.sock");
    const settings = ["--port", "0", "--unixsocket", place, "--save", "", "--dir", home, "--daemonize", "no"];
    const broker = spawn(findBroker()?.program ?? "", settings, { stdio: "ignore" });
    running.add(broker);
    expect(await eventually(() => existsSync(place), LIMIT_MS)).toBeGreaterThanOrEqual(0);
    expect(await hasty(folder, place, "early")).toMatchObject({ code: 1, stderr: expect.stringMatching(DEADLINE) });
    const server = start(join(folder, "server.mjs"), [place]);
    await server.ready;
    expect(await client(folder, place, "hello", "world")).toEqual({ code: 0, stdout: "HELLO\nWORLD\n", stderr: "" });
    server.child.kill("SIGTERM");
    expect((await server.end).code).toBe(0);
    broker.kill();
  });

  it.concurrent.each(["stdio", "jsonrpc/stdio", "channel/advanced"])(
    "%s starts its server, and ends it where it does not reply",
    async (id) => {
      const folder = copied(id);
      expect(await client(folder, "hello", "world")).toEqual({ code: 0, stdout: "HELLO\nWORLD\n", stderr: "" });
      writeFileSync(join(folder, "server.mjs"), "process.stdin.resume(); setInterval(() => {}, 1000);\n");
      expect(await hasty(folder, "hello")).toMatchObject({ code: 1, stderr: expect.stringMatching(DEADLINE) });
      writeFileSync(join(folder, "server.mjs"), "process.exit(3);\n");
      expect(await client(folder, "hello")).toMatchObject({ code: 1, stderr: expect.stringMatching(/server ended/) });
    },
  );

  it.each(["server.mjs", "server.py"])("unix, %s: a wrong length ends its connection, and no other", async (name) => {
    const folder = join(home, `hostile-${name}`);
    copyExample({ folder: "sockets/example/stream", shows: "unix" }, folder);
    const place = at(`${name}.sock`);
    const server = start(join(folder, name), [place]);
    await server.ready;
    const socket = connect(place).on("error", () => undefined);
    socket.write(Buffer.alloc(8, 0xff));
    await new Promise((resolve) => socket.once("close", resolve));
    expect(await client(folder, place, "hello")).toMatchObject({ code: 0, stdout: "HELLO\n" });
    server.child.kill("SIGTERM");
    expect((await server.end).stderr).toMatch(/a message of 4294967295 bytes; the limit is 1048576/);
  });

  it("http/unix and ws/unix: a message above the limit is refused, and ends its connection only", async () => {
    const tooLong = Buffer.alloc(1024 * 1024 + 1);
    const servers = ["http/unix", "ws/unix"].map((id) => {
      const folder = join(home, `limited-${id.slice(0, 2)}`);
      copyExample(exampleOf(id) as NonNullable<ReturnType<typeof exampleOf>>, folder);
      const place = at(`limited-${id.slice(0, 2)}.sock`);
      return { folder, place, server: start(join(folder, "server.mjs"), [place]) };
    });
    const [http, ws] = servers as [(typeof servers)[0], (typeof servers)[0]];
    await Promise.all(servers.map(({ server }) => server.ready));
    const call = request({ socketPath: http.place, method: "POST" }).on("error", () => undefined);
    const status = new Promise((resolve) => call.once("response", ({ statusCode }) => resolve(statusCode)));
    call.end(tooLong);
    expect(await status).toBe(413);
    const hostile = new WebSocket("ws://localhost/", { createConnection: () => connect(ws.place) });
    hostile.once("open", () => hostile.send(tooLong));
    expect(await new Promise((resolve) => hostile.once("close", resolve))).toBe(1009);
    for (const { folder, place, server } of servers) {
      expect(await client(folder, place, "hello")).toMatchObject({ code: 0, stdout: "HELLO\n" });
      server.child.kill("SIGTERM");
      expect((await server.end).code).toBe(0);
    }
  });
});

describe("the examples", () => {
  const folders = [...new Set(REGISTRY.flatMap(({ id }) => exampleOf(id)?.folder ?? []))];
  const programs = folders.flatMap((folder) => {
    const directory = exampleDirectory({ folder, shows: "" });
    return readdirSync(directory).map((name) => join(directory, name));
  });

  it("are there for every mechanism, and for its family", () => {
    const without = REGISTRY.filter(({ id }) => exampleOf(id) === undefined);
    expect(without).toEqual([]);
    expect(exampleOf("my-http")).toBeUndefined();
    expect(exampleOf("tcp")).toEqual({ folder: "sockets/example/stream", shows: "tcp" });
    expect(exampleOf("http/unix")).toEqual({ folder: "sockets/example/http", shows: "http/unix" });
    expect(exampleOf("shm/spin")).toMatchObject({ folder: "shared-memory/example", shows: "shm/futex" });
  });

  it("state what differs where they show a near relative only", () => {
    const near = REGISTRY.flatMap(({ id }) => exampleOf(id)?.differs ?? []);
    expect(near.length).toBeGreaterThan(20);
    expect(new Set(near).size).toBe(near.length);
    expect(near.filter((text) => !/^[a-z`].{20,}[^.]$/.test(text))).toEqual([]);
  });

  // Each folder is copied out alone, so both have the framing; they must not drift apart.
  it("have the same framing over sockets and over standard streams", () => {
    const [sockets, streams] = ["sockets/example/stream", "pipes/example/stdio"].map((folder) =>
      readFileSync(join(exampleDirectory({ folder, shows: "" }), "frames.mjs"), "utf8"),
    );
    expect(sockets).toBe(streams);
  });

  it("have at most 60 lines and a head with the license", () => {
    const wrong = programs.filter((path) => {
      const lines = readFileSync(path, "utf8").trimEnd().split("\n");
      return lines.length > 60 || !/^(\/\/|#) SPDX-License-Identifier: MIT-0 \(/.test(lines[0] ?? "");
    });
    expect(wrong).toEqual([]);
    expect(programs.length).toBeGreaterThan(24);
  });

  it("are the last line of an answer, unless the pick is a module of the user's or nothing was decided", () => {
    vi.stubEnv("npm_package_name", "ipcmark").stubEnv("npm_lifecycle_event", "compare");
    onTestFinished(() => void vi.unstubAllEnvs());
    const pick = fixtureReport().pick as NonNullable<Report["pick"]>;
    const named = (transport: string): string | undefined => exampleLine({ ...pick, transport });
    expect(named("unix")).toMatch(/transports\/sockets\/example\/stream; npm run example -- unix <dir>$/);
    expect(named("shm/spin")).toMatch(/shared-memory\/example \(shows shm\/futex, the nearest\); npm run example/);
    vi.stubEnv("npm_package_name", "my-project").stubEnv("npm_lifecycle_event", "npx");
    expect(named("unix")).toMatch(/; npx ipcmark example unix <dir>$/);
    vi.stubEnv("npm_lifecycle_event", undefined);
    expect(named("unix")).toMatch(/; ipcmark example unix <dir>$/);
    expect(named("my-http")).toBeUndefined();
    expect(exampleLine(null)).toBeUndefined();
    expect(exampleLine({ ...pick, transport: "unix", verdict: "cannot-tell" })).toBeUndefined();
  });

  it("overwrite nothing, and take back what they wrote", () => {
    const folder = join(home, "taken");
    mkdirSync(folder);
    writeFileSync(join(folder, "server.mjs"), "mine");
    expect(() => copyExample({ folder: "sockets/example/stream", shows: "unix" }, folder)).toThrow(
      /cannot write ".*server\.mjs": a file is in the way; name another folder/,
    );
    expect(readdirSync(folder)).toEqual(["server.mjs"]);
    expect(readFileSync(join(folder, "server.mjs"), "utf8")).toBe("mine");
  });
});
