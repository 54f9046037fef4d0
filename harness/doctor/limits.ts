/** Probes of the limits of the system: descriptors, queues, shared memory, temporary directory, watches. */
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { asRoot, REMEDIES } from "../../transports/contract/shortage.ts";
import { inBytes, softLimit, spaceIn } from "../../transports/posix/machine-limits.ts";
import { MAX_SOCKET_PATH_BYTES } from "../../transports/support/socket-path-limit.ts";
import { placeParent } from "../process/place-parent.ts";
import type { Finding, Probe } from "./finding.ts";
import { readNumber, readText } from "./read.ts";

const MIB = 1024 * 1024;
const OPEN_FILES = "Max open files";
const ENOUGH_DESCRIPTORS = 4096;
const ENOUGH_SHM_BYTES = 256 * MIB;
/** Default limit of the kernel; a default queue of ten 8 KiB messages costs about a tenth of it. */
const DEFAULT_QUEUE_BYTES = 819_200;
const LARGE_QUEUE_MESSAGE_BYTES = 65_536;
const LARGE_QUEUES_BYTES = 64 * MIB;

export const descriptors: Probe = () => {
  const limit = softLimit(OPEN_FILES);
  if (limit === null) return [];
  const topic = "open files";
  if (limit >= ENOUGH_DESCRIPTORS) return [{ topic, status: "ok", found: `up to ${limit} per process` }];
  const meaning = "a server with many clients runs out of descriptors: accepting then fails";
  return [{ topic, status: "warning", found: `up to ${limit} per process`, meaning, fix: REMEDIES.descriptors }];
};

export const queues: Probe = () => {
  const topic = "message queues";
  const messages = readNumber("/proc/sys/fs/mqueue/msg_max");
  const bytes = readNumber("/proc/sys/fs/mqueue/msgsize_max");
  if (messages === null || bytes === null) {
    const meaning = "posix-mq cannot work: this kernel has no POSIX message queues";
    return [{ topic, status: process.platform === "linux" ? "warning" : "note", found: "none", meaning }];
  }
  const limit = softLimit("Max msgqueue size") ?? DEFAULT_QUEUE_BYTES;
  const found = `${messages} messages of ${inBytes(bytes)} a queue; all queues of a user together ${inBytes(limit)}`;
  const wide = bytes >= LARGE_QUEUE_MESSAGE_BYTES && limit >= LARGE_QUEUES_BYTES;
  const meaning = `posix-mq is limited to messages of ${inBytes(bytes)} and to few clients`;
  const raise = `${REMEDIES.queueShape} && ${REMEDIES.queueBytes}`;
  const findings: Finding[] = [
    wide ? { topic, status: "ok", found } : { topic, status: "note", found, meaning, fix: raise },
  ];
  if (!existsSync("/dev/mqueue")) {
    const meaning = "queues work, but nobody can list or remove those that were left behind";
    const fix = [asRoot("mkdir -p /dev/mqueue"), asRoot("mount -t mqueue none /dev/mqueue")].join(" && ");
    findings.push({ topic, status: "note", found: "/dev/mqueue is not mounted", meaning, fix });
  }
  return findings;
};

export const sharedMemory: Probe = () => {
  const topic = "/dev/shm";
  if (process.platform !== "linux") return [];
  if (!existsSync(topic)) {
    const meaning = "shared memory (shm/*) cannot be created";
    return [
      { topic, status: "problem", found: "missing", meaning, fix: asRoot("mount -t tmpfs -o size=1G tmpfs /dev/shm") },
    ];
  }
  const { totalBytes, freeBytes } = spaceIn(topic);
  const found = `${inBytes(totalBytes)}, ${inBytes(freeBytes)} free`;
  if (freeBytes >= ENOUGH_SHM_BYTES) return [{ topic, status: "ok", found }];
  const meaning = "rings for several clients, or large payloads, do not fit; containers have 64 MiB by default";
  return [{ topic, status: "warning", found, meaning, fix: REMEDIES.sharedMemory }];
};

export const temporaryDirectory: Probe = () => {
  const topic = "temporary directory";
  const directory = tmpdir();
  let parent: string;
  try {
    parent = placeParent();
  } catch (error) {
    return [{ topic, status: "problem", found: (error as Error).message, fix: "export TMPDIR=/tmp" }];
  }
  const { freeBytes } = spaceIn(parent);
  const found = `${parent}, ${inBytes(freeBytes)} free`;
  const findings: Finding[] = [];
  if (parent !== directory) {
    const meaning = `sockets below it would exceed ${MAX_SOCKET_PATH_BYTES} bytes of path, so runs work in ${parent}`;
    findings.push({
      topic,
      status: "warning",
      found: `${directory} is too long`,
      meaning,
      fix: `export TMPDIR=${parent}`,
    });
  }
  if (freeBytes >= ENOUGH_SHM_BYTES) return [...findings, { topic, status: "ok", found }];
  const meaning = "file-drop and mapped files need room here; a full disk shows as IPC_SHORTAGE with ENOSPC";
  return [...findings, { topic, status: "warning", found, meaning, fix: REMEDIES.disk }];
};

export const watches: Probe = () => {
  const instances = readNumber("/proc/sys/fs/inotify/max_user_instances");
  if (instances === null) return [];
  const topic = "inotify";
  const found = `${instances} instances per user`;
  if (instances >= 128) return [{ topic, status: "ok", found }];
  const meaning = "file-drop/watch needs one per process and fails with EMFILE when they are used up";
  return [{ topic, status: "warning", found, meaning, fix: REMEDIES.inotifyInstances }];
};

/** Fewest threads that a run needs: each process of Node has about a dozen. */
const LEAST_THREADS = 48;
const ENOUGH_THREADS = 200;

export const processes: Probe = () => {
  const topic = "processes and threads";
  const left = threadsLeft();
  if (left === Number.POSITIVE_INFINITY) return [];
  const found = `${left} more may be started`;
  if (left >= ENOUGH_THREADS) return [{ topic, status: "ok", found }];
  const fix = REMEDIES.processes;
  if (left >= LEAST_THREADS) {
    const meaning = "each process of Node needs about a dozen: checks with many clients are unavailable";
    return [{ topic, status: "warning", found, meaning, fix }];
  }
  const meaning = `a run needs at least ${LEAST_THREADS}, about a dozen for each of its processes`;
  return [{ topic, status: "problem", found, meaning, fix, stopsRuns: true }];
};

/** Returns what the limits of the user, which do not bind root, and of the control group still allow. */
function threadsLeft(): number {
  const used = readNumber("/sys/fs/cgroup/pids.current");
  const most = readNumber("/sys/fs/cgroup/pids.max");
  const inGroup = used === null || most === null ? Number.POSITIVE_INFINITY : most - used;
  const limit = process.getuid?.() === 0 ? null : softLimit("Max processes");
  if (limit === null || limit > 10_000) return inGroup;
  return Math.min(inGroup, limit - threadsOfUser());
}

function threadsOfUser(): number {
  const uid = process.getuid?.();
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.reduce((sum, pid) => {
    const status = readText(`/proc/${pid}/status`) ?? "";
    const isOurs = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]) === uid;
    return isOurs ? sum + Number(/^Threads:\s+(\d+)/m.exec(status)?.[1] ?? 1) : sum;
  }, 0);
}

export const container: Probe = () => {
  const topic = "container limits";
  const findings: Finding[] = [];
  const [quota, period] = (readText("/sys/fs/cgroup/cpu.max") ?? "max").split(" ");
  if (quota !== undefined && quota !== "max") {
    const cpus = Number(quota) / Number(period ?? 100_000);
    const meaning =
      "when the quota is used up, every process stops until the next period: a p99 then describes the quota";
    const fix = "docker run --cpus=… with at least 3 CPUs, or none";
    findings.push({
      topic,
      status: cpus < 2 ? "warning" : "note",
      found: `CPU time of ${cpus.toFixed(1)} CPUs`,
      meaning,
      fix,
    });
  }
  const memory = readNumber("/sys/fs/cgroup/memory.max");
  if (memory !== null && memory < 1024 * MIB) {
    const meaning = "the largest messages (64 MiB, several copies) may end a process with SIGKILL";
    findings.push({
      topic,
      status: "warning",
      found: `memory ${inBytes(memory)}`,
      meaning,
      fix: REMEDIES.memory,
    });
  }
  return findings.length > 0 ? findings : [{ topic, status: "ok", found: "none that matter" }];
};
