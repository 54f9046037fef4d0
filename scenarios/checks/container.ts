import type { Check, CheckContext, ContainerOutcome, Namespace } from "../check.ts";
import { hasAddress, hasMethods, replies } from "../kit/conditions.ts";
import { expect } from "../kit/expect.ts";

/** Namespaces in the words of the answer. A shared IPC namespace comes with a shared `/dev/shm`, as in `--ipc=host`. */
const WORDS: Readonly<Record<Namespace, string>> = {
  network: "the network",
  ipc: "IPC and /dev/shm",
  pid: "process ids",
};
const ALL: readonly Namespace[] = ["network", "ipc", "pid"];
/** Sets of namespaces, the smallest first. */
const SETS: readonly (readonly Namespace[])[] = [
  ["network"],
  ["ipc"],
  ["pid"],
  ["network", "ipc"],
  ["ipc", "pid"],
  ["network", "pid"],
];

export const containerSharing: Check = {
  id: "container/sharing",
  title: "Two containers can use it, and what they have to share besides one directory is stated",
  why: "A mechanism that works on one machine may find nothing from another container, and only there.",
  // It reads how much of /dev/shm is in use, which others would change.
  alone: true,
  typicalMs: 2500,
  timeoutMs: 180_000,
  needs: [() => process.platform === "linux" || "namespaces exist on Linux only", replies, hasAddress, hasMethods],
  async run(context) {
    const apart = await context.inContainers([]);
    if (apart.works) return context.note("needs", "nothing more");
    context.note("withoutIt", apart.error);
    const together = await context.inContainers(ALL);
    expect(together.works, `with everything but their mounts in common, they fail too: ${errorIn(together)}`);
    for (const shared of SETS) {
      const outcome = await context.inContainers(shared);
      if (outcome.works) return answer(context, shared, outcome);
    }
    answer(context, ALL, together);
  },
};

function answer(context: CheckContext, shared: readonly Namespace[], outcome: ContainerOutcome): void {
  context.note("needs", shared.map((namespace) => WORDS[namespace]).join(", "));
  if (outcome.works && shared.includes("ipc")) context.note("sharedMemoryBytes", outcome.sharedMemoryBytes);
}

function errorIn(outcome: ContainerOutcome): string {
  return outcome.works ? "" : outcome.error;
}
