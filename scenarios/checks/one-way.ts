import type { Check } from "../check.ts";
import { canFreeze, oneWay, ownProcess, replies, reportsTotals } from "../kit/conditions.ts";
import { expect } from "../kit/expect.ts";
import { bodyUpTo, pattern } from "../kit/messages.ts";
import { collectTotals, streamTotals } from "../kit/peer.ts";

const MESSAGES = 5000;
const LEAST = 200;
const BUDGET_MS = 1500;
const BODY_BYTES = 100;

export const oneWayOrder: Check = {
  id: "one-way-order",
  title: "One-way messages arrive once, whole and in the order in which they were sent, as far as claimed",
  why: "One-way messages have no replies, so nobody notices when one is lost, doubled or overtaken.",
  sharesPeer: true,
  typicalMs: 250,
  needs: [replies, oneWay, reportsTotals],
  async run(context) {
    const { delivery, ordering } = context.transport.capabilities;
    const client = await context.connect(await context.startPeer());
    await streamTotals(client);
    const startedMs = performance.now();
    const body = pattern(bodyUpTo(BODY_BYTES, context.transport.capabilities), 1);
    let sent = 0;
    for (; sent < MESSAGES; sent++) {
      if (sent >= LEAST && performance.now() - startedMs > BUDGET_MS) break;
      await client.oneWay(body, sent);
    }
    const totals = await collectTotals(client, sent);
    expect(totals.corrupted === 0, `${totals.corrupted} of ${sent} messages arrived damaged`);
    expect(totals.duplicated === 0, `${totals.duplicated} of ${sent} messages arrived twice`);
    if (ordering === "fifo") expect(totals.reordered === 0, `${totals.reordered} of ${sent} messages came out of turn`);
    const lost = sent - totals.received;
    if (delivery === "reliable") expect(lost === 0, `${lost} of ${sent} messages were lost`);
    context.note("messages", sent);
    if (delivery === "lossy") context.note("lostPercent", Math.round((lost / sent) * 1000) / 10);
    if (ordering === "none") context.note("reordered", totals.reordered);
  },
};

const KEPT = 5;

export const persistence: Check = {
  id: "persistence",
  title: "Messages taken before the server died reach its successor, as claimed",
  why: "A sender that relies on a persistent queue does not send again.",
  typicalMs: 550,
  needs: [
    replies,
    oneWay,
    reportsTotals,
    ownProcess,
    canFreeze,
    ({ persistent }) => persistent || "it declares that messages are lost when the server dies (persistent: false)",
  ],
  async run(context) {
    const first = await context.startPeer();
    const client = await context.connect(first);
    await client.request(pattern(16, 1));
    await first.freeze();
    for (let sequence = 0; sequence < KEPT; sequence++) await client.oneWay(pattern(32, sequence), sequence);
    await first.kill("SIGKILL");
    const second = await context.startPeer({ address: first.address });
    const totals = await collectTotals(await context.connect(second), KEPT);
    expect(totals.received === KEPT, `${KEPT} messages were taken and ${totals.received} reached the successor`);
    expect(totals.corrupted + totals.duplicated === 0, "some arrived damaged or twice");
    context.note("kept", totals.received);
  },
};
