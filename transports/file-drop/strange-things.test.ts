// Issue 4: what does not belong into the drop ends at most the client whose name it bears, and never the server.
import { spawn } from "node:child_process";
import { lutimesSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import type { Address, Connection, ConnectionHandler, EventTransport } from "../contract/transport.ts";
import { ownFolder } from "../testing/own-folder.ts";
import { fileDropPoll, fileDropWatch } from "./file-drop.ts";
import { listNames } from "./files.ts";

const own = ownFolder();
const { ended } = own;

const until = (condition: () => void): Promise<void> => vi.waitFor(condition, { timeout: 8000, interval: 5 });

function eventOf(address: Address): EventTransport {
  const transport = address.transport === fileDropPoll.id ? fileDropPoll : fileDropWatch;
  if (transport.event === undefined) throw new Error("no event face");
  return transport.event;
}

async function serve(address: Address, before?: () => void): Promise<string[]> {
  const happened: string[] = [];
  const server = await eventOf(address).listen(address, {
    onOpen: () => void happened.push("open"),
    onMessage(message, connection) {
      before?.();
      connection.send(message);
    },
    onWritable() {},
    onClose: (_connection, error) => void happened.push(error?.code ?? "close"),
  });
  ended.push(() => server.close());
  return happened;
}

async function expectServed(address: Address): Promise<void> {
  const heard: string[] = [];
  const handler: ConnectionHandler = {
    onOpen() {},
    onMessage: (message) => void heard.push(Buffer.from(message).toString()),
    onWritable() {},
    onClose() {},
  };
  const connection: Connection = await eventOf(address).connect(address, handler);
  connection.send(Buffer.from("still served"));
  await until(() => expect(heard).toEqual(["still served"]));
  await connection.close();
}

test.each([fileDropWatch.id, fileDropPoll.id])("a folder named like a request is no message: %s", async (transport) => {
  const address = { transport, name: join(own.directory, "drop") };
  const happened = await serve(address);
  const folder = join(address.name, "requests", "me.0000000001.json");
  mkdirSync(join(address.name, "responses", "me"));
  mkdirSync(folder);
  writeFileSync(join(folder, "inside"), "");
  await until(() => expect(happened).toEqual(["open", "IPC_MALFORMED"]));
  expect(listNames(join(address.name, "requests"))).toEqual([]);
  expect(listNames(join(address.name, "responses"))).toEqual([]);
  await expectServed(address);
  await until(() => expect(happened).toEqual(["open", "IPC_MALFORMED", "open", "close"]));
});

test("a request whose file cannot be removed after it was handled ends its client", async () => {
  const address = { transport: fileDropWatch.id, name: join(own.directory, "drop") };
  let exchanged = false;
  const happened = await serve(address, () => {
    const [file = ""] = listNames(join(address.name, "requests"));
    const path = join(address.name, "requests", file);
    if (exchanged) return;
    exchanged = true;
    rmSync(path);
    mkdirSync(path);
  });
  const rawClient = await fileDropWatch.connectRaw?.(address);
  const [client = ""] = listNames(join(address.name, "responses"));
  await rawClient?.write(Buffer.from(JSON.stringify({ id: "1", client, sequence: 1, text: "" })));
  await rawClient?.closed;
  await rawClient?.[Symbol.asyncDispose]();
  expect(happened).toEqual(["open", "IPC_SYSTEM"]);
  await expectServed(address);
});

test("a folder or a circular link among the temporary files is swept like a file", async () => {
  const address = { transport: fileDropWatch.id, name: join(own.directory, "drop"), options: { ttlMs: 4000 } };
  await serve(address);
  const temporary = join(address.name, "temporary");
  mkdirSync(join(temporary, "folder", "deeper"), { recursive: true });
  symlinkSync("circle", join(temporary, "circle"));
  utimesSync(join(temporary, "folder"), 1, 1);
  lutimesSync(join(temporary, "circle"), 1, 1);
  await until(() => expect(listNames(temporary)).toEqual([]));
  await expectServed(address);
});

test("what a dead server was writing is removed by its successor, whatever it is", async () => {
  const address = { transport: fileDropWatch.id, name: join(own.directory, "drop") };
  mkdirSync(join(address.name, "temporary", "0-1-1", "deeper"), { recursive: true });
  writeFileSync(join(address.name, "server.json"), JSON.stringify({ pid: 0, startTime: null, epoch: 1 }));
  await serve(address);
  expect(listNames(join(address.name, "temporary"))).toEqual([]);
});

test.runIf(process.platform === "linux")("a request that cannot be removed is passed over after one try", async () => {
  const address = { transport: fileDropPoll.id, name: join(own.directory, "drop") };
  ended.push(() => fileDropPoll.sweep(address));
  const busy = join(address.name, "requests", "me.0000000001.json");
  mkdirSync(busy, { recursive: true });
  const fixture = fileURLToPath(new URL("fixture/echo-server.ts", import.meta.url));
  // A mount point in a namespace of the server's own; where that is not allowed, it is a folder like any other.
  const mount = 'mount -t tmpfs none "$1" && exec "$2" "$3" "$4" "$5"';
  const parameters = ["sh", busy, process.execPath, fixture, address.transport, address.name];
  const namespaced = await exitCodeOf("unshare", ["-rm", "true"]);
  const command = namespaced === 0 ? ["unshare", "-rm", "sh", "-c", mount] : ["sh", "-c", mount.replace(/^.* && /, "")];
  const [file = "", ...rest] = command;
  const child = spawn(file, [...rest, ...parameters], { stdio: ["pipe", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (chunk) => {
    said += chunk;
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  ended.push(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  await until(() => expect(said).toContain("ready\n"));
  await expectServed(address);
  child.stdin.end();
  expect(await exited).toBe(0);
  // One connection for the thing, one for the client.
  expect(said).toBe("ready\nserved 1, ended 2\n");
});

function exitCodeOf(file: string, parameters: readonly string[]): Promise<number | null> {
  return new Promise((resolve) => {
    const child = spawn(file, parameters, { stdio: "ignore" });
    child.once("error", () => resolve(null));
    child.once("exit", resolve);
  });
}
