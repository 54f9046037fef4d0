import { availableParallelism } from "node:os";
import type { Capabilities } from "../contract/capabilities.ts";
import type { Address, Availability, Transport } from "../contract/transport.ts";
import { posixAvailability } from "../posix/binding.ts";
import { localQueueCapabilities } from "../support/capabilities.ts";
import { checkOptions } from "../support/opening.ts";
import type { SteppedTransport } from "../support/polled-event.ts";
import { removeNames } from "./claim.ts";
import { connectRing, RingOpening } from "./client.ts";
import { type RingKind, slotName } from "./kind.ts";
import { largestMessage } from "./ring.ts";
import { RingServer } from "./server.ts";
import { mappedFileStore, type Store, sharedMemoryStore } from "./store.ts";
import { soleCpu, WAIT_KINDS, type WaitKind } from "./waits.ts";
import { sectionStore, windowsFileStore } from "./windows-store.ts";

const RING_BYTES = 4 * 1024 * 1024;
const MAX_CLIENTS = 32;
/** Requests in flight. A ring could hold 16,000 small ones, but large ones and their replies must have room too. */
const MAX_IN_FLIGHT = 1024;

function ringKind(id: string, store: Store, wait: WaitKind): RingKind {
  // A spinning end needs a CPU to itself, and the server has taken one.
  const maxClients = wait.spins ? Math.max(1, availableParallelism() - 1) : MAX_CLIENTS;
  return { id, store, wait, maxClients, ringBytes: RING_BYTES };
}

function capabilities(kind: RingKind): Capabilities {
  const portable = kind.wait.usesSemaphores ? ({ platforms: ["linux", "win32"] } as const) : {};
  const { languages } = kind.store;
  const limits = localQueueCapabilities({
    modes: [kind.wait.spins ? "polling" : "blocking"],
    boundaries: "prefix",
    maxMessageBytes: largestMessage(kind.ringBytes),
    maxClients: kind.maxClients,
    maxInFlight: MAX_IN_FLIGHT,
  });
  return { ...limits, languages, ...portable };
}

/** Returns the blocking face, with opening in steps, which checks use. */
function blockingFace(kind: RingKind): SteppedTransport {
  return {
    listen(address, options) {
      checkOptions(kind.id, options);
      return new RingServer(kind, address);
    },
    connect(address, timeoutMs, options) {
      checkOptions(kind.id, options);
      return connectRing(kind, address, timeoutMs);
    },
    begin: (address, timeoutMs) => new RingOpening(kind, address, timeoutMs),
  };
}

/** Reports in the probe, once, that spinning needs two CPUs, so that not every connection reports it. */
function spinAvailability(): Availability {
  const availability = posixAvailability();
  if (!availability.available || soleCpu() === 0) return availability;
  const reason =
    "only one CPU may be used here: each end would spin there while the other cannot run, a scheduler slice of " +
    "milliseconds for each turn; give it two CPUs, or use a mechanism that sleeps, such as shm/futex";
  return { available: false, reason };
}

function ringTransport(id: string, store: Store, wait: WaitKind): Transport {
  const kind = ringKind(id, store, wait);
  return {
    id,
    capabilities: capabilities(kind),
    async probe() {
      return wait.spins ? spinAvailability() : store.availability();
    },
    allocate: async (place) => ({ transport: id, name: store.allocate(place) }),
    blocking: blockingFace(kind),
    // Python can post and wait for semaphores; it has no futex.
    ...(wait.usesSemaphores &&
      store.languages.includes("python") && {
        peers: { python: ["python3", "peer.py"] },
        clients: { python: ["python3", "client.py"] },
      }),
    async residue({ name }: Address) {
      const names = [name, ...Array.from({ length: kind.maxClients }, (_, slot) => slotName(name, slot))];
      const found = names.flatMap((each) => [
        store.inspect(each),
        wait.usesSemaphores ? store.inspectSemaphore(each) : undefined,
      ]);
      return [...found.filter((object) => object !== undefined), ...store.lockResidue(name)];
    },
    async sweep({ name }: Address) {
      if (!store.availability().available) return;
      removeNames(kind, name);
      await store.sweepLocks(name);
    },
  };
}

const overSharedMemory = (wait: WaitKind, store: Store = sharedMemoryStore): Transport =>
  ringTransport(`shm/${wait.name}`, store, wait);
const overMappedFile = (wait: WaitKind, store: Store = mappedFileStore): Transport =>
  ringTransport(`mmap/${wait.name}`, store, wait);

/** Stores of the mechanisms that work on Windows too: those that sleep on semaphores. */
const portable =
  process.platform === "win32"
    ? { memory: sectionStore, file: windowsFileStore }
    : { memory: sharedMemoryStore, file: mappedFileStore };

export const shmSpin: Transport = overSharedMemory(WAIT_KINDS.spin);
export const shmSemaphore: Transport = overSharedMemory(WAIT_KINDS.semaphore, portable.memory);
export const shmFutex: Transport = overSharedMemory(WAIT_KINDS.futex);
export const shmAdaptive: Transport = overSharedMemory(WAIT_KINDS.adaptive);
export const mmapFutex: Transport = overMappedFile(WAIT_KINDS.futex);
export const mmapSemaphore: Transport = overMappedFile(WAIT_KINDS.semaphore, portable.file);
