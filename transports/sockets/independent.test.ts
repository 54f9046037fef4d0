import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Place, Server, Transport } from "../contract/transport.ts";
import { echoHandler } from "../testing/echo-handler.ts";
import { makePlace } from "../testing/harness.ts";
import { runCurl, runPython, withoutCurl, withoutPython } from "../testing/independent.ts";
import { http } from "./http.ts";
import { websocket } from "./websocket.ts";

const withoutSockets = withoutPython("socket", "python3");
const why = (reason: string | undefined): string => (reason ? ` (skipped: ${reason})` : "");

let place: Place & AsyncDisposable;
let server: Server | undefined;
beforeEach(async () => {
  place = await makePlace();
});
afterEach(async () => {
  await server?.close();
  await place[Symbol.asyncDispose]();
});

async function serve(transport: Transport): Promise<string> {
  server = await transport.event?.listen(await transport.allocate(place), echoHandler);
  return server?.address.name ?? "";
}

describe.skipIf(withoutCurl)(`curl${why(withoutCurl)}`, () => {
  test("posts to http/unix and gets its bytes back", async () => {
    const path = await serve(http);
    const body = "ä message";
    const reply = await runCurl("--unix-socket", path, "--data-binary", body, "http://localhost/");
    expect(reply.toString()).toBe(body);
  });

  test("is told 405 for a GET", async () => {
    const path = await serve(http);
    const code = await runCurl("--unix-socket", path, "-o", "/dev/null", "-w", "%{http_code}", "http://localhost/");
    expect(code.toString()).toBe("405");
  });

  test("is told 426 where WebSocket is spoken", async () => {
    const path = await serve(websocket);
    const code = await runCurl("--unix-socket", path, "-o", "/dev/null", "-w", "%{http_code}", "http://localhost/");
    expect(code.toString()).toBe("426");
  });
});

/** RFC 6455 by hand: the handshake with the key and answer of its section 1.3, then one masked binary frame. */
const WEBSOCKET = `
import socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(sys.argv[1])
s.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
          b"Sec-WebSocket-Version: 13\\r\\n"
          b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n")
head = b""
while b"\\r\\n\\r\\n" not in head: head += s.recv(1)
assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head, head
body, mask = b"hello", b"\\x01\\x02\\x03\\x04"
s.sendall(b"\\x82" + bytes([0x80 | len(body)]) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(body)))
frame = b""
while len(frame) < 2 + len(body): frame += s.recv(64)
print(frame[0], frame[1], frame[2:].decode())
`;

describe.skipIf(withoutSockets)(`Python with nothing but sockets${why(withoutSockets)}`, () => {
  test("speaks WebSocket to ws/unix", async () => {
    expect(await runPython(WEBSOCKET, await serve(websocket))).toBe("130 5 hello");
  });
});
