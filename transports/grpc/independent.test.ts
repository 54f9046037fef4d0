import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Place } from "../contract/transport.ts";
import { echoHandler } from "../testing/echo-handler.ts";
import { makePlace } from "../testing/harness.ts";
import { runPython, withoutPython } from "../testing/independent.ts";
import { grpcStream, grpcUnary } from "./grpc.ts";

const reason = withoutPython("grpc", "python3-grpcio");

/** A client without generated code: without serializers the library passes bytes. */
const CLIENT = `
import sys, grpc
sizes = (1, 64, 70000, 1000000)
messages = [bytes((i * 7 + n) % 256 for i in range(n)) for n in sizes]
with grpc.insecure_channel("unix:" + sys.argv[2]) as channel:
    if sys.argv[1] == "call":
        call = channel.unary_unary("/ipcmark.Messages/Call")
        replies = [call(m, timeout=10) for m in messages]
    else:
        replies = list(channel.stream_stream("/ipcmark.Messages/Stream")(iter(messages), timeout=10))
    print(sum(a == b for a, b in zip(messages, replies)), len(replies))
`;

describe.skipIf(reason)(`gRPC and Python's grpcio${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let place: Place & AsyncDisposable;
  beforeEach(async () => {
    place = await makePlace();
  });
  afterEach(() => place[Symbol.asyncDispose]());

  test.each([
    { transport: grpcUnary, method: "call" },
    { transport: grpcStream, method: "stream" },
  ])("a Python client is served by $transport.id", async ({ transport, method }) => {
    const server = await transport.event?.listen(await transport.allocate(place), echoHandler);
    expect(await runPython(CLIENT, method, server?.address.name ?? "")).toBe("4 4");
    await server?.close();
  });
});
