// Preloaded into a Windows Node that runs under Wine. Its standard output and error are files there, and Node's own
// streams for them break as soon as any socket is closed (EBADF): writing synchronously does not.
import { writeSync } from "node:fs";
import { Writable } from "node:stream";

for (const [name, fd] of [
  ["stdout", 1],
  ["stderr", 2],
]) {
  const stream = new Writable({
    decodeStrings: true,
    write(chunk, _encoding, done) {
      for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
      done();
    },
  });
  Object.defineProperty(process, name, { configurable: true, value: stream });
}
