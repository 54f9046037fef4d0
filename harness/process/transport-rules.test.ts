import { expect, test } from "vitest";
import broken from "../../scenarios/mutants/broken.ts";
import faulty from "../../scenarios/mutants/faulty.ts";
import { REGISTRY } from "../../transports/registry.ts";
import { unix } from "../../transports/sockets/unix.ts";
import { describeTransport, descriptionDefect, transportDefect } from "./transport-rules.ts";

test("every transport of ours is one, and so is what is left of it after a journey as JSON", async () => {
  const registered = await Promise.all(REGISTRY.map((entry) => entry.load()));
  for (const transport of [...registered, ...broken, ...faulty]) {
    expect(transportDefect(transport), transport.id).toBeUndefined();
    const description = describeTransport(transport);
    expect(JSON.parse(JSON.stringify(description)), transport.id).toEqual(description);
    expect(descriptionDefect(description), transport.id).toBeUndefined();
  }
});

const { capabilities } = unix;
test.for([
  [7, "it is 7 and must be an object"],
  [{ ...unix, id: "" }, 'id is "" and must be 1 to 80 printable characters'],
  [{ ...unix, id: "x".repeat(81) }, "must be 1 to 80 printable characters"],
  [{ ...unix, id: "two words" }, 'id is "two words"'],
  [{ ...unix, id: "mine\u202e" }, 'id is "mine\\u202e"'],
  [{ ...unix, id: "all" }, 'id is "all"'],
  [{ ...unix, probe: undefined }, "probe is missing and must be a function"],
  [{ ...unix, event: { connect() {} } }, "event.listen is missing and must be a function"],
  [{ ...unix, event: undefined, blocking: undefined }, "event and blocking are both missing"],
  [{ ...unix, capabilities: { ...capabilities, modes: [] } }, "capabilities.modes is an empty list"],
  [
    { ...unix, capabilities: { ...capabilities, patterns: ["chat"] } },
    'capabilities.patterns[0] is "chat" and must be',
  ],
  [
    { ...unix, capabilities: { ...capabilities, maxClients: Number.POSITIVE_INFINITY } },
    "capabilities.maxClients is Infinity",
  ],
  [{ ...unix, peers: { python: [] } }, "peers.python is an empty list"],
] as const)("what is none is refused by its field: %#", ([value, defect]) => {
  expect(transportDefect(value)).toContain(defect);
});
