import { type ChildProcess, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const CPU = "0";
const LINE_LIMIT_MS = 30_000;

/** Server or client of the benchmark, pinned before it starts. */
export class EchoProcess {
  /** Address that a server printed. */
  where = "";
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #name: string;

  constructor(args: readonly string[]) {
    this.#name = args.join(" ");
    const node = [process.execPath, MAIN, ...args];
    this.#child = spawn("taskset", ["-c", CPU, ...node], { stdio: ["pipe", "pipe", "inherit"] });
    if (this.#child.stdout === null) throw new Error("no stdout");
    this.#lines = createInterface(this.#child.stdout);
  }

  line(): Promise<string> {
    return new Promise((resolve, reject) => {
      const fail = (reason: string): void => {
        this.stop();
        reject(new Error(`${this.#name}: ${reason}`));
      };
      const ended = (code: number | null): void => fail(`ended with ${code}`);
      const timer = setTimeout(() => fail(`no output for ${LINE_LIMIT_MS} ms`), LINE_LIMIT_MS);
      this.#child.once("exit", ended);
      this.#lines.once("line", (line) => {
        clearTimeout(timer);
        this.#child.off("exit", ended);
        resolve(line);
      });
    });
  }

  /** Orders this many round trips from a client; resolves with their p50 in ns. */
  window(count: number): Promise<number> {
    this.#child.stdin?.write(`${count}\n`);
    return this.line().then(Number);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }
}

export async function startServer(side: string, id: string, directory: string): Promise<EchoProcess> {
  const server = new EchoProcess(["server", side, id, `${directory}/${side}`]);
  server.where = await server.line();
  return server;
}

export function startClient(side: string, id: string, where: string, bodyBytes: number): EchoProcess {
  return new EchoProcess(["client", side, id, where, String(bodyBytes)]);
}
