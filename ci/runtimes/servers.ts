import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import {
  existingServer,
  loopbackPort,
  type ServerAddress,
  type ServerClient,
  socketPath,
  type Transport,
} from "../../harness/index.ts";

/** Folder of the example for `unix` and `tcp`. */
export const EXAMPLE = join(import.meta.dirname, "../../transports/sockets/example/stream");
/** The example replies in capitals. */
const ANSWER = "Buffer.from(message.toString().toUpperCase())";

/** Returns the code of the example's server, with the request as its reply. @throws Error if the example has changed */
export function echoServer(): string {
  const code = readFileSync(join(EXAMPLE, "server.mjs"), "utf8");
  if (!code.includes(ANSWER)) throw new Error(`${EXAMPLE}/server.mjs has no line with ${ANSWER}; name its new answer`);
  return code.replace(ANSWER, "message");
}

/** Program that runs JavaScript, with the arguments in front of the name of the file. */
export interface Runtime {
  readonly name: string;
  readonly command: readonly string[];
}

/** Returns a Unix socket and a TCP port served by each runtime: `bun/unix`, `bun/tcp`, and so on. */
export function runtimeServers(runtimes: readonly Runtime[], script: string): Transport[] {
  return runtimes.flatMap(({ name, command }) =>
    ([socketPath, loopbackPort] as const).map((address) =>
      existingServer<ServerAddress>({
        id: `${name}/${address === socketPath ? "unix" : "tcp"}`,
        address,
        command: (where) => [...command, script, "path" in where ? where.path : String(where.port)],
        ready: /^ready$/,
        connect,
        capabilities: { maxClients: 64, maxInFlight: 64, peerLoss: "immediate", ordering: "fifo" },
      }),
    ),
  );
}

/** Connects with the frames of `transports/sockets/example`: a length of 4 bytes, little-endian, then the message. */
async function connect(where: ServerAddress): Promise<ServerClient> {
  const socket = createConnection({ ...where, noDelay: true });
  await once(socket, "connect");
  const waiting: PromiseWithResolvers<Uint8Array>[] = [];
  let held = Buffer.alloc(0);
  socket.on("data", (piece: Buffer<ArrayBuffer>) => {
    held = held.length === 0 ? piece : Buffer.concat([held, piece]);
    while (held.length >= 4 && held.length >= 4 + held.readUInt32LE()) {
      const end = 4 + held.readUInt32LE();
      waiting.shift()?.resolve(held.subarray(4, end));
      held = held.subarray(end);
    }
  });
  const closed = once(socket, "close");
  const fail = (): void => {
    for (const { reject } of waiting.splice(0)) reject(new Error("the connection was closed"));
  };
  closed.then(fail, fail);
  return {
    request(body) {
      const head = Buffer.alloc(4);
      head.writeUInt32LE(body.length);
      socket.write(Buffer.concat([head, body]));
      const reply = Promise.withResolvers<Uint8Array>();
      waiting.push(reply);
      return reply.promise;
    },
    close: () => socket.destroy(),
    closed,
  };
}
