import { Kind } from "../../../transports/contract/frame.ts";
import { payloadMessages } from "../../rpc/payload.ts";
import { CLEAN, type Model, type Site, type Window } from "./model.ts";
import { pingPongOver } from "./ping-pong.ts";

const CONNECT_TIMEOUT_MS = 10_000;

/** Connect, one verified round trip, close. The server runs on, and the driver's own connection stays open. */
export const openClose: Model = {
  id: "open-close",
  prepare(site, { payloadBytes }) {
    const [message] = payloadMessages(Kind.request, payloadBytes);
    const body = message.frame.slice(message.frame.length - payloadBytes);
    return { window: (count) => runCycles(site, count, body) };
  },
};

async function runCycles(site: Site, count: number, body: Uint8Array): Promise<Window> {
  const samples = new Float64Array(count);
  const phases = {
    connect: new Float64Array(count),
    firstReply: new Float64Array(count),
    close: new Float64Array(count),
  };
  const startedNs = process.hrtime.bigint();
  let done = 0;
  let problem: string | undefined;
  try {
    for (; done < count; done++) {
      const [t0, t1, t2, t3] = await cycle(site, body);
      phases.connect[done] = Number(t1 - t0);
      phases.firstReply[done] = Number(t2 - t1);
      phases.close[done] = Number(t3 - t2);
      samples[done] = Number(t3 - t0);
    }
  } catch (error) {
    problem = (error as Error).message;
  }
  return {
    messages: done,
    elapsedNs: Number(process.hrtime.bigint() - startedNs),
    samples: samples.subarray(0, done),
    phases,
    ...CLEAN,
    lost: count - done,
    ...(problem === undefined ? {} : { problem }),
  };
}

async function cycle(site: Site, body: Uint8Array): Promise<readonly [bigint, bigint, bigint, bigint]> {
  const { link, transport } = site;
  const clock = process.hrtime.bigint;
  const t0 = clock();
  if (link.face === "event") {
    const client = await link.peer.connect();
    const t1 = clock();
    const reply = await client.request(body);
    if (Buffer.compare(reply, body) !== 0) throw new Error("a reply arrived damaged");
    const t2 = clock();
    await client.close();
    return [t0, t1, t2, clock()];
  }
  if (transport.blocking === undefined) throw new Error(`${transport.id} has no blocking face`);
  const connection = transport.blocking.connect(link.peer.address, CONNECT_TIMEOUT_MS);
  const t1 = clock();
  const window = await pingPongOver({ face: "blocking", connection }, body.length).window(1);
  if (window.problem !== undefined || window.corrupted > 0)
    throw new Error(window.problem ?? "a reply arrived damaged");
  const t2 = clock();
  connection[Symbol.dispose]();
  return [t0, t1, t2, clock()];
}
