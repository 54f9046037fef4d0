/**
 * `npm run stress -- --kills 200`: random signals to random processes of `compare`, `check`, `measure` and `gate`, at
 * random moments. After each, the next start has to leave nothing: no run directory, object, process or worktree.
 * Options: `--seed <n>`; `--minutes <n>` ends it earlier.
 *
 * All of it happens in namespaces of its own: no process outside can be signalled, and nothing outside is swept. This
 * file starts itself in there.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REGISTRY } from "../../../transports/registry.ts";
import { randomFrom } from "../../results/random.ts";
import { benchOptions, countOf } from "../options.ts";
import { Command } from "./killed-command.ts";
import { World } from "./kills-world.ts";

/** Private file systems, then the command. The shell stays to reap orphans. */
const MOUNTS =
  'mount -t tmpfs tmpfs "$0" && mount -t tmpfs tmpfs /dev/shm && mkdir "$0/tmp" "$0/mqueue" && ' +
  'mount -t mqueue mqueue "$0/mqueue" && "$@"; exit $?';
const LONGEST_MOMENT_MS = 9000;
const MOST_SIGNALS = 3;
const COORDINATOR_SHARE = 0.2;
const SIGNALS = ["SIGKILL", "SIGTERM", "SIGINT", "SIGSTOP"] as const;

const values = benchOptions({
  kills: { type: "string", default: "200" },
  seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
  minutes: { type: "string", default: "600" },
  // Internal: marks the process inside the namespaces.
  inside: { type: "string" },
});
const kills = countOf("kills", values.kills);
const seed = countOf("seed", values.seed, 0);
const untilMs = performance.now() + countOf("minutes", values.minutes) * 60_000;

if (values.inside === undefined) enter();
else process.exitCode = await soak(values.inside);

function enter(): void {
  const namespaces = ["--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "--ipc"];
  const ways = process.getuid?.() === 0 ? [namespaces] : [[...namespaces, "--map-root-user"]];
  const unshare = ways.find((flags) => spawnSync("unshare", [...flags, "true"], { stdio: "ignore" }).status === 0);
  if (unshare === undefined) {
    process.stdout.write(
      "--kills needs Linux, unshare, and root or user namespaces: they are not here, so nothing was done\n",
    );
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-kills-"));
  try {
    const self = [process.execPath, ...process.execArgv, process.argv[1] as string, ...process.argv.slice(2)];
    const args = [...unshare, "sh", "-c", MOUNTS, directory, ...self, "--seed", String(seed), "--inside", directory];
    process.exitCode = spawnSync("unshare", args, { stdio: "inherit" }).status ?? 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function soak(directory: string): Promise<number> {
  const random = randomFrom(seed);
  const world = new World(directory);
  let done = 0;
  let findings = 0;
  for (; done < kills && performance.now() < untilMs; done++) {
    const { story, fault } = await killOnce(world, random);
    const left = [...(fault === undefined ? [] : [fault]), ...(await world.afterNextStart())];
    if (left.length === 0) process.stderr.write(`${done + 1}/${kills} ${story}\n`);
    else {
      findings++;
      process.stdout.write(`FINDING ${done + 1}: ${story}: ${left.join(", ")} (seed ${seed})\n`);
      world.clear();
    }
  }
  process.stdout.write(`${done} commands were killed, ${findings} findings; seed ${seed}\n`);
  return findings === 0 ? 0 : 1;
}

/** Runs one command and signals some of its processes. @returns its story, and a fault if it did not end */
async function killOnce(world: World, random: () => number): Promise<{ story: string; fault: string | undefined }> {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const args = argsOf(pick(["compare", "check", "measure", "gate"]), pick);
  const command = new Command(args, world.clone, world.environment);
  const story: string[] = [args.join(" ")];
  for (let left = Math.floor(random() * (MOST_SIGNALS + 1)); left > 0 && command.running; left--) {
    await command.wait((random() * LONGEST_MOMENT_MS) / (left + 1));
    const signal = pick(SIGNALS);
    // Mostly hit the others: the coordinator gets the end anyway.
    const victims = command.victims().filter(({ isCoordinator }) => !isCoordinator || random() < COORDINATOR_SHARE);
    // The next start cannot find a stopped process of another user, which nobody here may end.
    const victim = pick(victims.filter(({ isOwn }) => isOwn || signal !== "SIGSTOP"));
    if (victim !== undefined && command.signal(victim.pid, signal)) story.push(`${signal} to ${victim.name}`);
  }
  await command.wait(random() * LONGEST_MOMENT_MS);
  const { done, fault } = await command.end(pick(SIGNALS));
  return { story: [...story, done].join("; "), fault };
}

function argsOf(name: string, pick: <Item>(items: readonly Item[]) => Item): string[] {
  const ids = [pick(REGISTRY).id, pick(REGISTRY).id];
  switch (name) {
    case "compare":
      return [name, "--transport", "unix", ...ids, "--payload", "64", "--quick"];
    case "check":
      return [name, "--transport", ...ids];
    case "measure":
      return [name, "--transport", ...ids, "--payload", "64", "--trials", "3", ...pick([[], ["--keep-awake"]])];
    default:
      return [name, "--base", "HEAD", "--transport", "unix", "--payload", "64"];
  }
}
