import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { Sandbox } from "../testing/sandbox.ts";

const sandbox = new Sandbox();
afterAll(() => sandbox.remove());
const main = fileURLToPath(new URL("main.ts", import.meta.url));

/** Server that prints a log line, replies to each line but `hang`, and exits with 7 at the end of its input. */
const server = join(sandbox.directory, "server.mjs");
writeFileSync(
  server,
  `import { createInterface } from "node:readline";
process.stdout.write("ready\\n");
process.stderr.write("a line on stderr\\n");
for await (const line of createInterface({ input: process.stdin })) {
  if (!line.startsWith("{")) process.stdout.write("what?\\n");
  else if (JSON.parse(line).method !== "hang") process.stdout.write(\`{"id":\${JSON.parse(line).id},"result":1.0}\\n\`);
}
process.exit(7);
`,
);

function record(...flags: readonly string[]) {
  const child = spawn(process.execPath, [main, "record", ...flags, "--", process.execPath, server], {
    cwd: sandbox.directory,
  });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  return { child, output, ended: once(child, "exit") };
}

const readFile = (name: string): string => readFileSync(join(sandbox.directory, name), "utf8");

it("passes bytes through and the exit code on, and writes a private file", async () => {
  const { child, output, ended } = record("--file", "a.ndjson");
  child.stdin.end('{"id":1,"method":"a"}\nno json\n{"id":2, "method":"hang"}');
  const [stdout, stderr] = await output;
  expect(stdout).toBe('ready\n{"id":1,"result":1.0}\nwhat?\n');
  expect((await ended)[0]).toBe(7);
  expect(stderr).toMatch(/writes every request and reply to a.ndjson: all contents, secrets included/);
  expect(stderr).toContain("a line on stderr\n");
  expect(stderr).toMatch(
    /added to a.ndjson: 1 request with its reply, 1 request whose reply never came; not in it: 3 p/,
  );
  expect(readFile("a.ndjson")).toBe(
    '{"request":{"id":1,"method":"a"},"response":{"id":1,"result":1.0}}\n{"id":2, "method":"hang"}\n',
  );
  expect(statSync(join(sandbox.directory, "a.ndjson")).mode & 0o777).toBe(0o600);
}, 30_000);

it("passes a signal on while a request is open, and loses nothing", async () => {
  const { child, output, ended } = record("--file", "b.ndjson", "--redact");
  child.stdin.write('{"id":1,"method":"hang","params":"secret"}\n{"id":2,"method":"b"}\n');
  await new Promise<void>((resolve) => {
    let seen = "";
    child.stdout.on("data", (chunk) => {
      seen += chunk;
      if (seen.includes('"id":2')) resolve();
    });
  });
  child.kill("SIGTERM");
  expect((await ended)[0]).toBe(143);
  expect((await output)[1]).toMatch(/sizes and method names, no contents/);
  expect(readFile("b.ndjson")).toBe(
    '{"id":1,"method":"hang","params":"xxxxxx"}\n{"request":{"id":1,"method":"b"},"response":{"id":1,"result":1.1}}\n',
  );
}, 30_000);

it("refuses a file that others can read and a command that cannot be started, in one sentence", async () => {
  writeFileSync(join(sandbox.directory, "open.ndjson"), "1\n", { mode: 0o644 });
  const open = await sandbox.run(["record", "--file", "open.ndjson", "--", "true"]);
  expect([open.code, open.stderr]).toEqual([
    2,
    expect.stringMatching(/^ipcmark: .*can be read by others \(mode 644\)/),
  ]);
  const none = await sandbox.run(["record", "--file", "c.ndjson", "--", "/no/such/server"]);
  expect(none.code).toBe(2);
  expect(none.stderr).toMatch(/"\/no\/such\/server" cannot be started \(ENOENT\); give the command of a server/);
}, 30_000);
