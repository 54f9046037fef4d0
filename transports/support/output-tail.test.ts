import { expect, it } from "vitest";
import { OutputTail } from "./output-tail.ts";

const CRASH = `listening soon
node:events:486
      throw er; // Unhandled 'error' event
      ^

Error: listen EADDRINUSE: address already in use /run/x.sock
    at Server.setupListenHandle [as _listen2] (node:net:1948:21)
Emitted 'error' event on Server instance at:
    at emitErrorNT (node:net:1927:8) {
  code: 'EADDRINUSE',
  errno: -98,
  syscall: 'listen'
}

Node.js v26.10.0
`;

it("names the error of a Node program that died of an event without a handler, and any other last line", () => {
  const tail = new OutputTail();
  expect(tail.lastTelling()).toBeUndefined();
  tail.add(CRASH);
  expect(tail.lastTelling()).toBe("Error: listen EADDRINUSE: address already in use /run/x.sock");
  tail.add("bye\n");
  expect(tail.lastTelling()).toBe("bye");
});
