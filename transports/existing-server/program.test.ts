import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ProgramServer } from "../contract/transport.ts";
import { loopbackPort } from "./address.ts";
import { type ProgramSettings, startProgram } from "./program.ts";

const never = new AbortController().signal;

/** False also for one that has ended and that nobody has reaped yet. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

let started: ProgramServer | undefined;
afterEach(() => started?.signal("SIGKILL"));

async function start(script: string, rest: Partial<ProgramSettings> = {}, signal = never): Promise<ProgramServer> {
  const settings: ProgramSettings = {
    id: "mine",
    command: ["sh", "-c", script],
    directory: undefined,
    env: {},
    where: await loopbackPort(),
    ready: /^up$/,
    readyTimeoutMs: 15_000,
    ...rest,
  };
  started = await startProgram(settings, signal);
  return started;
}

describe.skipIf(process.platform === "win32")("the program of a user", () => {
  it("is ready when a line of its output fits, and is signalled with what it has started", async () => {
    const program = await start("sleep 600 & echo up $!; wait", { ready: /^up/ });
    const [text, child] = /\) waits; last line of its output: up (\d+)$/.exec(program.account("waits")) ?? [];
    expect(text, program.account("waits")).toBeDefined();
    program.signal("SIGKILL");
    expect(await program.exited).toEqual({ code: null, signal: "SIGKILL" });
    await vi.waitFor(() => expect(isAlive(Number(child))).toBe(false), 5000);
  });

  it.each<[string, string, Partial<ProgramSettings>, string, string]>([
    [
      "is never ready",
      "echo warming up; exec sleep 600",
      { readyTimeoutMs: 1500 },
      "IPC_TIMEOUT",
      "did not come up: it printed nothing like /^up$/ within 1.5 s; last line of its output: warming up",
    ],
    [
      "accepts nothing",
      "exec sleep 600",
      { readyTimeoutMs: 200, ready: "connects" },
      "IPC_TIMEOUT",
      "did not come up: it accepted no connection within 0.2 s; it printed nothing",
    ],
    [
      "exits early",
      "echo no licence >&2; exit 3",
      {},
      "IPC_SYSTEM",
      "did not come up: it exited with code 3; last line of its output: no licence",
    ],
    ["is not there", "", { command: ["no-such-program"] }, "IPC_SYSTEM", "mine: cannot start no-such-program: "],
  ])("that %s is named, with what it printed last", async (_, script, rest, code, message) => {
    await expect(start(script, rest)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it("that refuses an address where another one serves has found it in use", async () => {
    const where = await loopbackPort();
    const other = createServer((socket) => socket.destroy()).listen(where);
    const refusal = start("echo in use; exit 1", { where, ready: "connects" });
    await expect(refusal).rejects.toMatchObject({ code: "IPC_ADDRESS_IN_USE" });
    other.close();
  });

  it("ends with a start that is not wanted any more", async () => {
    const abort = new AbortController();
    const starting = start("exec sleep 600", {}, abort.signal);
    abort.abort();
    await expect(starting).rejects.toMatchObject({ code: "IPC_ABORTED" });
  });
});
