import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Place, Transport } from "../contract/transport.ts";
import { echoHandler } from "../testing/echo-handler.ts";
import { Collector, connectCollector, makePlace, pattern, roundTrip } from "../testing/harness.ts";
import { runPython, withoutPython } from "../testing/independent.ts";
import { zeromqDealerRouter, zeromqPubSub, zeromqReqRep, zeromqTcp } from "./zeromq.ts";

const reason = withoutPython("zmq", "python3-zmq");

/** Arguments: socket type, url. Echoes 0 to 70,000 bytes and prints how many round trips were right. */
const CLIENT = `
import sys, zmq
s = zmq.Context().socket(getattr(zmq, sys.argv[1])); s.linger = 0; s.rcvtimeo = 5000
s.connect(sys.argv[2])
right = 0
for n in (1, 64, 200, 70000):
    m = bytes((i * 7 + n) % 256 for i in range(n))
    s.send(m)
    right += s.recv() == m
print(right)
`;
/** Arguments: socket type, url. Answers three requests. */
const SERVER = `
import sys, zmq
s = zmq.Context().socket(getattr(zmq, sys.argv[1])); s.linger = 1000; s.rcvtimeo = 8000
s.bind(sys.argv[2])
right = 0
while right < 3:
    parts = s.recv_multipart()
    if parts[-1]:
        s.send_multipart(parts); right += 1
s.close()
print(right)
`;

describe.skipIf(reason)(`ZeroMQ and Python's zmq${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let place: Place & AsyncDisposable;
  beforeEach(async () => {
    place = await makePlace();
  });
  afterEach(() => place[Symbol.asyncDispose]());

  test.each<[string, Transport, string, string]>([
    ["zeromq/dealer-router serves a DEALER", zeromqDealerRouter, "DEALER", "ipc"],
    ["zeromq/dealer-router serves a REQ", zeromqDealerRouter, "REQ", "ipc"],
    ["zeromq/req-rep serves a REQ", zeromqReqRep, "REQ", "ipc"],
    ["zeromq/tcp serves a DEALER", zeromqTcp, "DEALER", "tcp"],
  ])("%s", async (_title, transport, type, scheme) => {
    const server = await transport.event?.listen(await transport.allocate(place), echoHandler);
    expect(await runPython(CLIENT, type, `${scheme}://${server?.address.name}`)).toBe("4");
    await server?.close();
  });

  test.each<[string, Transport, string]>([
    ["a Python ROUTER answers zeromq/dealer-router", zeromqDealerRouter, "ROUTER"],
    ["a Python REP answers zeromq/req-rep", zeromqReqRep, "REP"],
  ])("%s, although the client came first", async (_title, transport, type) => {
    const address = { ...(await transport.allocate(place)), options: { confirms: false } };
    const { connection, collector } = await connectCollector(transport, address);
    const served = runPython(SERVER, type, `ipc://${address.name}`);
    for (const bytes of [5, 64, 5000]) {
      expect((await roundTrip(connection, collector, pattern(bytes))).equals(pattern(bytes))).toBe(true);
    }
    expect(await served).toBe("3");
    await connection.close();
    await transport.sweep(address);
  });

  test("a Python SUB receives what zeromq/pub-sub publishes, and a Python PUB reaches its server", async () => {
    const collector = new Collector();
    const server = await zeromqPubSub.event?.listen(await zeromqPubSub.allocate(place), collector);
    const name = server?.address.name;
    const program = `
import sys, zmq
c = zmq.Context()
pub = c.socket(zmq.XPUB); pub.linger = 1000; pub.connect(sys.argv[1] + ".in"); pub.recv()
sub = c.socket(zmq.SUB); sub.rcvtimeo = 5000; sub.subscribe(b""); sub.connect(sys.argv[1])
got = sub.recv(); pub.send(got + b"!"); print(len(got)); pub.close(); sub.close(); c.term()
`;
    const printed = runPython(program, `ipc://${name}`);
    await collector.until("the subscription", () => collector.connections.length > 0);
    collector.connections[0]?.send(pattern(300));
    expect(await printed).toBe("300");
    await collector.count(1);
    expect(collector.messages[0]?.equals(Buffer.concat([pattern(300), Buffer.from("!")]))).toBe(true);
    await server?.close();
  });
});
