import { expect, test } from "vitest";
import { IpcError, shortageIn, toIpcError } from "../../transports/contract/errors.ts";
import { failureOf, rejection } from "./failure.ts";
import { descriptorShortage, startShortageIn } from "./shortage.ts";

function systemError(code: string, syscall: string, path?: string): Error {
  return Object.assign(new Error(`${code}: ${syscall}`), { code, syscall, ...(path === undefined ? {} : { path }) });
}

// An inotify limit is one of the whole user, so the errors of one that is used up are made here.
test.each([
  [systemError("EMFILE", "watch", "/tmp/x"), /max_user_instances/],
  [systemError("ENOSPC", "watch", "/tmp/x"), /max_user_watches/],
  [systemError("EMFILE", "open", "/tmp/x"), /ulimit -n/],
  [systemError("ENFILE", "open"), /fs\.file-max/],
  [systemError("EAGAIN", "spawn node"), /ulimit -u/],
  [systemError("ENOSPC", "write"), /free some space/],
  [systemError("ENOSPC", "open", "/dev/shm/x"), /remount,size=1G/],
  [systemError("EDQUOT", "write"), /free some space/],
] as const)("%s is a shortage with the remedy of its own limit, however it is wrapped", (error, remedy) => {
  const found = toIpcError(error, "here");
  expect([found.code, found.message]).toEqual(["IPC_SHORTAGE", expect.stringMatching(remedy)]);
  const wrapped = new Error("two of three", { cause: new IpcError("IPC_SYSTEM", "outer", { cause: error }) });
  expect(shortageIn(wrapped)?.message).toMatch(remedy);
});

test("what is no shortage stays what it is", () => {
  expect(toIpcError(systemError("EAGAIN", "read"), "here").code).toBe("IPC_SYSTEM");
  expect(shortageIn(new Error("a reply is missing", { cause: systemError("ECONNRESET", "read") }))).toBeUndefined();
  expect(shortageIn("text")).toBeUndefined();
});

test("a shortage that travels has no random name in it, so that many checks have one reason", () => {
  const text = "posix_fallocate(shared memory /ipcmark-0123456789abcdef-1f-0, 8392704 bytes): ENOSPC";
  const message = "posix_fallocate(shared memory …, 8392704 bytes): ENOSPC";
  expect(failureOf(new IpcError("IPC_SHORTAGE", text))).toEqual({ type: "failed", code: "IPC_SHORTAGE", message });
  expect(failureOf(new IpcError("IPC_SYSTEM", text)).message).toBe(text);
});

test("what a peer in Python lacks gets the remedy here", () => {
  const message = "OSError: [Errno 24] Too many open files";
  expect(rejection("unix", { type: "failed", code: "IPC_SHORTAGE", message }).message).toMatch(
    /too many.*: ulimit -n/i,
  );
  expect(rejection("unix", { type: "failed", code: "IPC_PEER_LOST", message }).message).toBe(message);
});

test("a server that had descriptors for all of its clients has no excuse", () => {
  expect(descriptorShortage(192, 64)).toBeUndefined();
  expect(descriptorShortage(9, 64)?.message).toMatch(/could open 9 more descriptors, too few for 64 clients: ulimit/);
});

test("a process that could not start its threads is told by what it printed", () => {
  expect(startShortageIn("node[9]: pthread_create: Resource temporarily unavailable")).toBe("processes");
  expect(startShortageIn("  #  Assertion failed: (0) == (uv_loop_init(&loop_))")).toBe("descriptors");
  expect(startShortageIn("  #  Assertion failed: (0) == (uv_thread_join(&thread_))")).toBeUndefined();
});
