import { expect, test } from "vitest";
import { describeAddressTransport } from "../testing/cases.ts";
import { echoHandler } from "../testing/echo-handler.ts";
import { makePlace } from "../testing/harness.ts";
import { runPython, withoutPython } from "../testing/independent.ts";
import { describeUnaryClose } from "../testing/unary-cases.ts";
import { jsonRpc } from "./unix.ts";

const SUBJECT = { transport: jsonRpc, moduleUrl: new URL("./unix.ts", import.meta.url), exportName: "jsonRpc" };
const withoutSockets = withoutPython("socket", "python3");

describeAddressTransport(SUBJECT);
describeUnaryClose(SUBJECT);

/** JSON-RPC 2.0 behind a Content-Length header. */
const JSON_RPC = `
import json, socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(sys.argv[1])
f = s.makefile("rb")
def call(id, method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).encode()
    s.sendall(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
    length = int(f.readline().split(b":")[1]); f.readline()
    return json.loads(f.read(length))
print(call(1, "message", "h\\u00e4llo")["result"] == "h\\u00e4llo", call(2, "nonsense")["error"]["code"])
`;

test.skipIf(withoutSockets)(
  "answers Python with nothing but sockets; an unknown method is answered as the standard says",
  async () => {
    await using place = await makePlace();
    const server = await jsonRpc.event?.listen(await jsonRpc.allocate(place), echoHandler);
    expect(await runPython(JSON_RPC, server?.address.name ?? "")).toBe("True -32601");
    await server?.close();
  },
);
