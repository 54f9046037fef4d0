// Starts server.py and lets it shout: `node transports/python-connection/example/client.ts`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "../index.ts";

const directory = mkdtempSync(join(tmpdir(), "ipcmark-example-"));
const path = join(directory, "demo.sock");
const script = fileURLToPath(new URL("server.py", import.meta.url));
const server = spawn("python3", [script, path], { stdio: ["ignore", "pipe", "inherit"] });

await once(server.stdout, "data");
const connection = await connect(path, { key: Buffer.from("a shared secret") });
for (const word of ["hello", "from", "node"]) {
  await connection.sendBytes(Buffer.from(word));
  const reply = await connection.receiveBytes({ timeoutMs: 2000 });
  process.stdout.write(`${word} -> ${Buffer.from(reply ?? []).toString()}\n`);
}
await connection.close();
await once(server, "exit");
rmSync(directory, { recursive: true });
