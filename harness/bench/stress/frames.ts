import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import type { Transport } from "../../../transports/contract/transport.ts";
import { REGISTRY } from "../../../transports/registry.ts";
import { createPlace, removePlace } from "../../process/place.ts";
import { visible } from "../../results/format.ts";
import { randomFrom } from "../../results/random.ts";
import { benchOptions, countOf, refuse } from "../options.ts";
import { attackParent, attackSegments, attackServer, type Damage, isOfSegments } from "./frame-attacks.ts";

/**
 * Random and mutated frames at every id that a stranger can write to, and random writes into live segments of shared memory. All the while an honest
 * client is served; afterwards the server lives, and its memory and descriptors are what they were. A seed repeats what is written.
 * Options: `--frames 100000 --seed <n> --transport unix --transport shm/futex`.
 */
const values = benchOptions({
  frames: { type: "string", default: "100000" },
  seed: { type: "string" },
  transport: { type: "string", multiple: true },
  // Given to the process of one id only.
  only: { type: "string" },
});
/** Much more than any id takes for its part, on a busy machine too. */
const LIMIT_MS = 600_000;
/** One fault is found again by every other frame. */
const MOST_PRINTED = 10;
const frames = countOf("frames", values.frames);
const seed = values.seed === undefined ? randomInt(2 ** 31) : countOf("seed", values.seed, 0);

async function load(id: string): Promise<Transport> {
  const entry = REGISTRY.find((each) => each.id === id);
  return entry === undefined ? refuse(`${id} is no transport`) : entry.load();
}

/** How to write to it below its framing; undefined where there is no way. */
function attackOn(transport: Transport): typeof attackServer | undefined {
  if (isOfSegments(transport)) return attackSegments;
  if (transport.launchRaw !== undefined) return attackParent;
  return transport.connectRaw === undefined ? undefined : attackServer;
}

/** Prints what it found. @returns whether that was nothing */
async function attackOne(id: string): Promise<boolean> {
  const transport = await load(id);
  const attack = attackOn(transport) ?? refuse(`nobody can write to ${id} below its framing`);
  const place = await createPlace();
  let damage: Damage;
  try {
    damage = await attack(transport, place, frames, randomFrom(seed));
  } finally {
    await removePlace(place);
  }
  const { figures, findings } = damage;
  process.stdout.write(`${id}: ${figures}\n`);
  for (const finding of findings.slice(0, MOST_PRINTED)) process.stdout.write(`FINDING ${id}: ${visible(finding)}\n`);
  return findings.length === 0;
}

/** Each in a process of its own: what ends or hangs it is a finding, and the others are attacked all the same. */
async function attackInProcess(id: string, share: number, ownSeed: number): Promise<boolean> {
  const options = ["--frames", String(share), "--seed", String(ownSeed), "--only", id];
  const main = new URL("../stress.ts", import.meta.url).pathname;
  const args = [...process.execArgv, main, ...options];
  const child = spawn(process.execPath, args, { stdio: "inherit", timeout: LIMIT_MS, killSignal: "SIGKILL" });
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  if (code === 0) return true;
  const end = signal === null ? `exit code ${code}` : `${signal}, or nothing for ${LIMIT_MS / 1000} s`;
  process.stdout.write(`FINDING ${id}: ${end}; repeat it with ${options.join(" ").replace("--only", "--transport")}\n`);
  return false;
}

async function attackAll(ids: readonly string[]): Promise<boolean> {
  const startedMs = performance.now();
  process.stdout.write(`${frames} frames, seed ${seed}\n`);
  const targets: string[] = [];
  for (const id of ids) {
    const transport = await load(id);
    const availability = await transport.probe();
    if (attackOn(transport) === undefined) process.stdout.write(`${id}: no way in below the framing\n`);
    else if (!availability.available) process.stdout.write(`${id}: unavailable: ${availability.reason}\n`);
    else targets.push(id);
  }
  if (targets.length === 0) refuse("none of these can be written to below its framing here; name another --transport");
  const share = Math.ceil(frames / targets.length);
  const wounded: string[] = [];
  // One id alone is one that is repeated: with the very seed that was given.
  const seedAt = (at: number): number => (targets.length === 1 ? seed : (seed + at) % 2 ** 31);
  for (const [at, id] of targets.entries()) if (!(await attackInProcess(id, share, seedAt(at)))) wounded.push(id);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const found = wounded.length === 0 ? "0 findings" : `findings at ${wounded.join(", ")}`;
  process.stdout.write(
    `${share * targets.length} frames at ${targets.length} ids in ${seconds} s, seed ${seed}: ${found}\n`,
  );
  return wounded.length === 0;
}

const held =
  values.only === undefined
    ? await attackAll(values.transport ?? REGISTRY.map(({ id }) => id))
    : await attackOne(values.only);
process.exit(held ? 0 : 1);
