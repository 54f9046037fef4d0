import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, test, vi } from "vitest";
import { withFault } from "../../../scenarios/mutants/tapped.ts";
import { IpcError } from "../../../transports/contract/errors.ts";
import { loopback } from "../../../transports/loopback/loopback.ts";
import { SERVER_BLOCKED } from "../../process/blocked.ts";
import type { DriverStart, FromDriver } from "../../process/messages.ts";
import type { RunningPeer } from "../peers/running-peer.ts";
import { executeChecks } from "./execute-checks.ts";
import { ModuleSilence, silenceOfProgram } from "./silence.ts";

const failing = (code: "IPC_TIMEOUT" | "IPC_PEER_LOST") => (): Promise<never> =>
  Promise.reject(new IpcError(code, "for the test"));
const answering = async (): Promise<Uint8Array> => new Uint8Array(16);

function serverOf(request: () => Promise<unknown>): RunningPeer {
  const client = { request, connection: { close: async () => undefined } };
  return { info: { language: "program" }, connect: async () => client } as unknown as RunningPeer;
}

test("a user's program is silent if a request is late, not if it is answered or the program has ended", async () => {
  const program = (request: () => Promise<unknown>): ReadonlySet<RunningPeer> => new Set([serverOf(request)]);
  expect(await silenceOfProgram(program(failing("IPC_TIMEOUT")))).toMatch(/^answers no request: none within 3 s/);
  expect(await silenceOfProgram(program(failing("IPC_PEER_LOST")))).toBeUndefined();
  expect(await silenceOfProgram(program(answering))).toBeUndefined();
  expect(await silenceOfProgram(new Set())).toBeUndefined();
});

describe("a user's module", () => {
  const late = new IpcError("IPC_TIMEOUT", "for the test");
  afterEach(() => vi.useRealTimers());

  it("is silent if the first request to a new server is late, or no server is ever ready", async () => {
    const start = async (): Promise<RunningPeer> => serverOf(failing("IPC_TIMEOUT"));
    expect(await new ModuleSilence().find(late, 10, start)).toMatch(/^answers no request: none within 3 s, not even/);
    vi.useFakeTimers();
    const found = new ModuleSilence().find(new Error("not finished"), 5000, () => new Promise(() => {}));
    await vi.advanceTimersByTimeAsync(8100);
    expect(await found).toBe("starts no server: a new one was not ready within 8 s");
  });

  it("is asked once at most, only after a check that waited, and never after a reply", async () => {
    const starts = vi.fn(async () => serverOf(answering));
    const silence = new ModuleSilence();
    expect(await silence.find(new Error("wrong bytes"), 100, starts)).toBeUndefined();
    expect(starts).toHaveBeenCalledTimes(0);
    expect(await silence.find(late, 100, starts)).toBeUndefined();
    expect(await silence.find(late, 100, starts)).toBeUndefined();
    expect(starts).toHaveBeenCalledTimes(1);
    const talking = new ModuleSilence();
    talking.answered();
    expect(await talking.find(late, 100, async () => serverOf(failing("IPC_TIMEOUT")))).toBeUndefined();
  });

  it("ends the checks of its driver when it never answers", async () => {
    const mute = withFault(loopback, "mute", { about: "answers nothing", server: () => ({ receive() {} }) });
    const directory = mkdtempSync(join(tmpdir(), "silence-test-"));
    const sent: FromDriver[] = [];
    const start: DriverStart = {
      type: "start",
      transport: { id: "mute", module: "/mute.ts" },
      mode: "event",
      place: { directory, prefix: "ipcmark-silence-test" },
      peerPin: [],
      peerLanguage: "node",
      work: { kind: "check", checks: ["sequential-requests", "pipelining"] },
    };
    await expect(
      executeChecks(mute, start, { kind: "check", checks: ["sequential-requests", "pipelining"] }, (message) =>
        sent.push(message),
      ),
    ).rejects.toMatchObject({ code: SERVER_BLOCKED, message: expect.stringMatching(/^mute answers no request: /) });
    expect(sent.filter(({ type }) => type === "check")).toEqual([]);
    rmSync(directory, { recursive: true });
  }, 30_000);
});
