/** Checks of publishing, and of servers in other languages. */
import { type Check, type CheckContext, NotApplicable, type Peer } from "../check.ts";
import { hasAddress, ownProcess, replies } from "../kit/conditions.ts";
import { expect } from "../kit/expect.ts";
import { bodyUpTo, pattern } from "../kit/messages.ts";
import { expectEcho, expectOrderlyExit } from "../kit/peer.ts";

const SUBSCRIBERS = 3;
const PUBLISHED = 500;
const BODY_BYTES = 100;

export const fanOut: Check = {
  id: "fan-out",
  title: "What a server publishes reaches every subscriber once, whole and in order, as far as claimed",
  why: "Published messages have no replies, so nobody notices that a subscriber receives nothing.",
  typicalMs: 650,
  needs: [
    hasAddress,
    ({ patterns }) =>
      patterns.includes("fan-out") ||
      (patterns.includes("one-way") && patterns.includes("request-reply")) ||
      "its server sends only replies",
    ({ modes }) =>
      modes[0] === "event" || "its server blocks while it waits for a request, so it cannot publish messages",
    ({ maxClients }) => maxClients > SUBSCRIBERS || `serves at most ${maxClients} of ${SUBSCRIBERS} subscribers`,
  ],
  async run(context) {
    const { delivery, ordering } = context.transport.capabilities;
    const load = {
      subscribers: SUBSCRIBERS,
      messages: PUBLISHED,
      bodyBytes: bodyUpTo(BODY_BYTES, context.transport.capabilities),
    };
    const heard = await context.publish(await context.startPeer(), load);
    let lost = 0;
    for (const [index, totals] of heard.entries()) {
      const who = `subscriber ${index + 1} of ${SUBSCRIBERS}`;
      expect(totals.corrupted === 0, `${who} got ${totals.corrupted} of ${PUBLISHED} messages damaged`);
      expect(totals.duplicated === 0, `${who} got ${totals.duplicated} of ${PUBLISHED} messages twice`);
      if (ordering === "fifo") expect(totals.reordered === 0, `${who} got ${totals.reordered} messages out of turn`);
      lost += PUBLISHED - totals.received;
      if (delivery === "reliable")
        expect(totals.received === PUBLISHED, `${who} got ${totals.received} of ${PUBLISHED} messages`);
    }
    context.note("subscribers", SUBSCRIBERS);
    context.note("published", PUBLISHED);
    if (delivery === "lossy") context.note("lostPercent", Math.round((lost / PUBLISHED / SUBSCRIBERS) * 1000) / 10);
  },
};

const SIZES = [0, 1, 100, 5000];

export const otherLanguages: Check = {
  id: "other-languages",
  title: "A server written in another language answers, as the record claims",
  why: "A mechanism can connect the programs of two teams only if the languages of both can use it.",
  typicalMs: 450,
  needs: [
    replies,
    ownProcess,
    (_, { peers }) => Object.keys(peers ?? {}).length > 0 || "there is no server in another language to try it with",
  ],
  async run(context) {
    const { capabilities, peers = {} } = context.transport;
    for (const [language, [program]] of Object.entries(peers)) {
      const claimed = capabilities.languages.some((name) => name === language || name === "any");
      expect(claimed, `there is a server written in ${language}, and languages does not list it`);
      const peer = await started(context, language, program);
      const client = await context.connect(peer);
      for (const size of SIZES.filter((bytes) => bytes <= bodyUpTo(bytes, capabilities))) {
        const body = pattern(size, size);
        await expectEcho(`${size} bytes echoed by ${language}`, client, body);
      }
      await client.close();
      await expectOrderlyExit(`the server written in ${language}`, peer.stop());
    }
    context.note("languages", Object.keys(peers).join(", "));
  },
};

async function started(context: CheckContext, language: string, program: string): Promise<Peer> {
  try {
    return await context.startPeer({ language });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (/ENOENT/.test(message)) throw new NotApplicable(`${program} not found; install it`);
    if (/No module named/.test(message))
      throw new NotApplicable(`its server in ${language} lacks a library: ${message}`);
    throw error;
  }
}
