/** Runs a server and a client in two sets of namespaces, as a container runtime would. */
import { spawnSync } from "node:child_process";
import { type ContainerOutcome, type Namespace, NotApplicable } from "../../../scenarios/check.ts";
import type { Address, Transport } from "../../../transports/contract/transport.ts";
import { spaceIn } from "../../../transports/posix/machine-limits.ts";
import { startDriver } from "../../process/driver-process.ts";
import { rejection, withoutNames } from "../../process/failure.ts";
import type { DriverStart, Failed, FromDriver } from "../../process/messages.ts";
import { nodeCommand } from "../../process/node-command.ts";
import type { RunningPeer } from "../peers/running-peer.ts";
import { startPeer } from "../peers/start-peer.ts";
import { endPeer } from "./shared-peer.ts";

const TIMEOUT_MS = 20_000;
const PROBE_MS = 10_000;
const REQUESTS = 20;
const BODY_BYTES = 64;
const SHARED_MEMORY = "/dev/shm";
/** Size of `/dev/shm` that common container runtimes choose. */
const SHARED_MEMORY_SIZE = "64m";
export interface ContainerAttempt {
  readonly transport: Transport;
  readonly start: DriverStart;
  readonly address: Address;
  /** Namespaces that both containers share; all others are their own. */
  readonly shared: readonly Namespace[];
  readonly onSpawn: (pid: number) => void;
}

let probed: { readonly obstacle: string | undefined } | undefined;

/**
 * Starts a server in one set of namespaces, and in another one a client that sends verified requests to it.
 *
 * @throws NotApplicable if this machine, or the user that runs this, cannot make namespaces
 */
export async function attemptInContainers(attempt: ContainerAttempt): Promise<ContainerOutcome> {
  // Once: containers that share nothing need all the rights that others need.
  probed ??= { obstacle: obstacleTo(containerPrefix([])) };
  if (probed.obstacle !== undefined) throw new NotApplicable(probed.obstacle);
  const prefix = containerPrefix(attempt.shared);
  const usedBefore = usedSharedMemory();
  let peer: RunningPeer | undefined;
  try {
    peer = await startServer(attempt, prefix);
    return await requestFrom({ ...attempt, address: peer.address }, prefix, usedBefore);
  } catch (error) {
    return { works: false, error: withoutNames((error as Error).message).replace(/(127\.0\.0\.1):\d+/, "$1") };
  } finally {
    if (peer !== undefined) await endPeer(peer);
  }
}

/** Returns the command that runs another one in new namespaces, except the shared ones. */
function containerPrefix(shared: readonly Namespace[]): readonly string[] {
  const own = (namespace: Namespace, ...flags: string[]): string[] => (shared.includes(namespace) ? [] : flags);
  const user = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  const namespaces = [
    "--mount",
    ...own("network", "--net"),
    ...own("ipc", "--ipc"),
    ...own("pid", "--pid", "--mount-proc"),
  ];
  const steps = [
    ...own("ipc", `mount -t tmpfs -o size=${SHARED_MEMORY_SIZE},mode=1777 tmpfs ${SHARED_MEMORY}`),
    ...own("network", "ip link set lo up"),
    // A process with the number 1 ignores signals without a handler. So the shell stays, and it has this number.
    '{ "$@"; exit $?; }',
  ];
  return ["unshare", ...user, ...namespaces, "--fork", "--kill-child", "sh", "-c", steps.join(" && "), "sh"];
}

/** Returns why these namespaces cannot be made here; undefined if they can. */
function obstacleTo([program = "", ...args]: readonly string[]): string | undefined {
  const { status, error, stderr } = spawnSync(program, [...args, "true"], { encoding: "utf8", timeout: PROBE_MS });
  if (status === 0) return undefined;
  const why = error?.message ?? stderr.trim().split("\n").at(-1) ?? `exit code ${status}`;
  return `no namespaces can be made here with unshare, mount and ip (${why}); run it as root, or allow user namespaces`;
}

function startServer(
  { transport, start, address, onSpawn }: ContainerAttempt,
  pin: readonly string[],
): Promise<RunningPeer> {
  return startPeer({
    transport,
    reference: start.transport,
    mode: transport.capabilities.modes[0],
    address,
    pin,
    language: start.peerLanguage,
    program: start.peerProgram,
    onSpawn,
  });
}

async function requestFrom(
  { transport, start, address, onSpawn }: ContainerAttempt,
  prefix: readonly string[],
  usedBefore: number,
): Promise<ContainerOutcome> {
  const client = await startDriver("client", nodeCommand("driver/main", prefix));
  onSpawn(client.pid);
  const next = async <Type extends FromDriver["type"]>(type: Type): Promise<Extract<FromDriver, { type: Type }>> => {
    const message: FromDriver = await client.next<FromDriver["type"]>([type, "failed"], TIMEOUT_MS);
    if (message.type === "failed") throw rejection(transport.id, message as Failed);
    return message as Extract<FromDriver, { type: Type }>;
  };
  try {
    const load = { connections: 1, requestsEach: REQUESTS, bodyBytes: BODY_BYTES };
    client.send({ ...start, work: { kind: "client", address, ...load } });
    const { refused } = await next("connected");
    if (refused !== undefined) throw rejection(transport.id, refused);
    const sharedMemoryBytes = Math.max(0, usedSharedMemory() - usedBefore);
    client.send({ type: "begin" });
    const { completed, firstError } = await next("client");
    if (completed === REQUESTS) return { works: true, sharedMemoryBytes };
    throw new Error(firstError ?? `${completed} of ${REQUESTS} replies came`);
  } finally {
    await client.terminate();
  }
}

/** Returns the bytes in use in `/dev/shm` outside the containers; whoever shares IPC with that uses these. */
function usedSharedMemory(): number {
  const { totalBytes, freeBytes } = spaceIn(SHARED_MEMORY);
  return totalBytes - freeBytes;
}
