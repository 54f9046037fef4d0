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
 * Writes random and mutated frames to every id that a raw client can reach, and random bytes into live segments of
 * shared memory, while an honest client is served. The server must survive, with its former memory and descriptors. A
 * seed repeats the writes. Options: `--frames 100000 --seed <n> --transport unix --transport shm/futex`.
 */
const values = benchOptions({
  frames: { type: "string", default: "100000" },
  seed: { type: "string" },
  transport: { type: "string", multiple: true },
  // Internal: the one id of a child process.
  only: { type: "string" },
});
/** Time limit of one id, ms: far above what any id takes, on a busy machine too. */
const LIMIT_MS = 600_000;
/** Most findings that are printed: every other frame finds one fault again. */
const MOST_PRINTED = 10;
const frames = countOf("frames", values.frames);
const seed = values.seed === undefined ? randomInt(2 ** 31) : countOf("seed", values.seed, 0);

async function load(id: string): Promise<Transport> {
  const entry = REGISTRY.find((each) => each.id === id);
  return entry === undefined ? refuse(`${id} is no transport`) : entry.load();
}

/** Returns the attack below its framing; undefined where there is no way. */
function attackOn(transport: Transport): typeof attackServer | undefined {
  if (isOfSegments(transport)) return attackSegments;
  if (transport.launchRaw !== undefined) return attackParent;
  return transport.connectRaw === undefined ? undefined : attackServer;
}

/** Attacks one id and prints the findings. @returns `true` when there were none */
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

/** Attacks in a process of its own. Its end or hang is a finding, and the other ids are still attacked. */
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
  // One id alone repeats an attack: with the given seed itself.
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
