import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, it } from "vitest";
import { posixAvailability, Semaphore, SharedMemory } from "../transports/posix/index.ts";
import { listen } from "../transports/python-connection/index.ts";
import { systemName } from "../transports/testing/system-names.ts";
import { blocksOf } from "./docs-commands.ts";

const ROOT = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "ipcmark-code-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the first TypeScript of a document, with words replaced. @returns what it declares under these names */
async function run(
  document: string,
  names: readonly string[],
  words: Readonly<Record<string, string>>,
): Promise<never> {
  const code = blocksOf(document, readFileSync(join(ROOT, document), "utf8")).find(({ language }) => language === "ts");
  if (code === undefined) throw new Error(`${document} has no TypeScript`);
  let text = `${code.code}\nexport { ${names.join(", ")} };\n`;
  for (const [word, other] of Object.entries(words)) {
    expect(text, document).toContain(word);
    text = text.replaceAll(word, other);
  }
  const file = join(mkdtempSync(join(folder, "code-")), "code.ts");
  writeFileSync(file, text);
  return (await import(pathToFileURL(file).href)) as never;
}

const source = (path: string): string => pathToFileURL(join(ROOT, path)).href;

it.runIf(posixAvailability().available)(
  "the code of transports/posix/README.md makes what its comments state",
  async () => {
    const name = systemName();
    const words = { "ipcmark/posix": source("transports/posix/index.ts"), "/my": `/${name}` };
    const found: { segment: SharedMemory; ready: Semaphore } = await run(
      "transports/posix/README.md",
      ["segment", "ready"],
      words,
    );
    using segment = found.segment;
    using ready = found.ready;
    try {
      using again = SharedMemory.open(segment.name);
      expect(again.mapping.words[0]).toBe(42);
      expect([ready.tryWait(), ready.tryWait()]).toEqual([true, false]);
    } finally {
      SharedMemory.unlink(segment.name);
      Semaphore.unlink(ready.name);
    }
  },
);

it.skipIf(process.platform === "win32")("the code of transports/python-connection/README.md gets a reply", async () => {
  const path = join(folder, "demo.sock");
  const server = await listen(
    path,
    (connection) => {
      void connection.receiveBytes().then((bytes) => bytes && connection.sendBytes(bytes));
    },
    { key: Buffer.from("secret") },
  );
  const words = {
    "ipcmark/python-connection": source("transports/python-connection/index.ts"),
    "/tmp/demo.sock": path,
  };
  const { connection, reply }: { connection: { close(): Promise<void> }; reply: Uint8Array } = await run(
    "transports/python-connection/README.md",
    ["connection", "reply"],
    words,
  );
  expect(Buffer.from(reply).toString()).toBe("hello");
  await connection.close();
  await server.close();
});
