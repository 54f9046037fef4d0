/** Runs a user's module for a coordinator: imports it, probes its transports or sweeps for them. It never measures. */
import { Worker } from "node:worker_threads";
import type { Availability, Transport, TransportDescription } from "../../transports/contract/transport.ts";
import { REGISTRY } from "../../transports/registry.ts";
import { openControlChannel } from "../process/control-channel.ts";
import type { FromInspector, Inspect, Sweep, ToInspector } from "../process/inspection.ts";
import { exportsOf } from "../process/load-transport.ts";
import { isObject, oneLine, shown } from "../process/rules.ts";
import { availabilityDefect, describeTransport, transportDefect } from "../process/transport-rules.ts";
import { placeOf } from "./place.ts";

const START_TIMEOUT_MS = 20_000;

const control = openControlChannel<ToInspector, FromInspector>();
void control.ended.then(() => process.exit(1));

const LOOK_MS = 200;

/** Ends this process and its group when its parent is gone, even from a loop that blocks the event loop. */
function endWithParent(parentPid: number): void {
  const code = `const never = new Int32Array(new SharedArrayBuffer(4));
    while (process.ppid === ${Number(parentPid)}) Atomics.wait(never, 0, 0, ${LOOK_MS});
    try { process.kill(-process.pid, "SIGKILL"); } finally { process.kill(process.pid, "SIGKILL"); }`;
  new Worker(code, { eval: true }).unref();
}

async function inspect({ module, ids }: Inspect): Promise<void> {
  const sound: Transport[] = [];
  const defects: string[] = [];
  const { transports, isRegistry } = await exportsOf(module, ids);
  for (const exported of transports) {
    const defect = isRegistry ? undefined : transportDefect(exported);
    if (defect === undefined) sound.push(exported as Transport);
    else defects.push(`${nameOf(exported)}${defect}`);
  }
  const wanted = sound.filter(({ id }) => ids === null || ids.includes(id));
  const described = await Promise.all(
    wanted.map(async (each) => (isRegistry ? describeOlder(each) : describeTransport(each))),
  );
  control.send({ type: "imported", transports: described, defects });
  for (const transport of wanted) {
    control.send({ type: "probed", id: transport.id, availability: await probe(transport) });
  }
}

/** Describes a transport of an older contract; newer capabilities come from this checkout. */
async function describeOlder(transport: Transport): Promise<TransportDescription> {
  const own = await REGISTRY.find(({ id }) => id === transport.id)?.load();
  const capabilities = { ...own?.capabilities, ...transport.capabilities };
  return { ...describeTransport(transport), capabilities };
}

/** Returns the name of one among several exports, for a message. */
function nameOf(exported: unknown): string {
  const id = isObject(exported) ? exported["id"] : undefined;
  return typeof id === "string" ? `of ${shown(id)}, ` : "";
}

async function probe(transport: Transport): Promise<Availability> {
  try {
    const answer: Availability = await transport.probe();
    const defect = availabilityDefect(answer);
    if (defect !== undefined) throw new Error(defect);
    return answer.available
      ? { available: true, version: oneLine(answer.version) }
      : { available: false, reason: oneLine(answer.reason) };
  } catch (error) {
    return { available: false, reason: `its probe failed: ${messageOf(error)}` };
  }
}

async function sweep({ module, addresses }: Sweep): Promise<void> {
  const ids = [...new Set(addresses.map(([id]) => id))];
  const { transports } = await exportsOf(module, ids);
  for (const [id, address] of addresses) {
    try {
      await (transports as readonly Transport[]).find((transport) => transport?.id === id)?.sweep(address);
    } catch {
      // If one address cannot be swept, the others still are.
    }
  }
}

function messageOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}

let module = "";
try {
  const work = await control.next(["inspect", "sweep"], START_TIMEOUT_MS);
  module = work.module;
  endWithParent(work.parentPid);
  await (work.type === "inspect" ? inspect(work) : sweep(work));
  control.send({ type: "done" });
  await control.flushed();
  process.exit(0);
} catch (error) {
  control.send({ type: "failed", code: "IPC_SYSTEM", message: `${messageOf(error)}${placeOf(error, module)}` });
  await control.flushed();
  process.exit(1);
}
