import { lstatSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { isIpcError } from "../../transports/contract/errors.ts";
import type { Connection } from "../../transports/contract/transport.ts";
import type { Check, CheckContext } from "../check.ts";
import {
  hasAddress,
  hasEventFace,
  inOneProcess,
  lossIsNoticed,
  oneWay,
  ownProcess,
  reliable,
  replies,
} from "../kit/conditions.ts";
import { expect, expectCode, expectSame, within } from "../kit/expect.ts";
import { pattern } from "../kit/messages.ts";
import { eventFace, sendAll, withPair, withServer } from "../kit/one-process.ts";
import { expectEcho, expectNoResidue } from "../kit/peer.ts";
import { echoing, Recorder } from "../kit/recorder.ts";

/** Maximum number of connections tried: more show nothing new and take long to open. */
const MANY_CLIENTS = 64;
/** Longest time that `immediate` and `heartbeat` promise, ms. A slack for busy machines is added to it. */
const LOSS_LIMIT_MS = 1000;
const SLACK_MS = 2000;

/** Checks in which the other side is missing or dead, or there are two servers or too many clients. */
export const failure: readonly Check[] = [
  {
    id: "failure/nobody-listens",
    title: "Connecting where nobody listens fails with IPC_PEER_LOST, or waits for a server where connecting is lazy",
    why: "A client that starts first must get an error, not hang.",
    quick: true,
    needs: [inOneProcess],
    async run(context) {
      const address = await context.allocate();
      const handler = new Recorder("the client");
      const opening = (): Promise<Connection> => eventFace(context).connect(address, handler);
      if (context.transport.capabilities.connects === "checked") {
        await expectCode("connect", ["IPC_PEER_LOST"], opening);
        expect(handler.happenings.length === 0, `a failed connect called ${handler.happenings.join(", ")}`);
      } else {
        const connection = await within("connect", opening());
        const outcome = await within(
          "close",
          connection.close(500).catch((error: unknown) => error),
        );
        expect(outcome === undefined || isIpcError(outcome), `close failed with ${String(outcome)}`);
      }
      await expectNoResidue(context, address);
    },
  },
  {
    id: "failure/aborted",
    title: "A signal that has fired makes listen and connect reject with IPC_ABORTED and leave nothing",
    why: "Start-up is cancelled when the user gives up; what stays behind blocks the next start.",
    needs: [inOneProcess],
    async run(context) {
      const options = { signal: AbortSignal.abort() };
      const address = await context.allocate();
      const handler = new Recorder("the aborted side");
      await expectCode("listen", ["IPC_ABORTED"], () => eventFace(context).listen(address, handler, options));
      await withServer(context, new Recorder("the server"), async (server) => {
        await expectCode("connect", ["IPC_ABORTED"], () =>
          eventFace(context).connect(server.address, handler, options),
        );
      });
      await expectNoResidue(context, address);
      expect(!handler.happenings.includes("open"), "an aborted opening called onOpen");
    },
  },
  {
    id: "failure/address-in-use",
    title: "A second listen on a live address fails with IPC_ADDRESS_IN_USE and the first server lives on",
    why: "A server started twice by mistake must not take the clients of the first, nor its path.",
    quick: true,
    needs: [inOneProcess, replies, reliable],
    run: (context) =>
      withPair(context, echoing(new Recorder("the server")), async ({ server, client, atClient }) => {
        const intruder = new Recorder("the second server");
        await expectCode("the second listen", ["IPC_ADDRESS_IN_USE"], () =>
          eventFace(context).listen(server.address, intruder),
        );
        await sendAll(atClient, client, [pattern(30, 1)]);
        await atClient.until("an echo of the first server", () => atClient.received > 0);
        const late = new Recorder("a late client");
        const second = await within("connect", eventFace(context).connect(server.address, late));
        await sendAll(late, second, [pattern(30, 2)]);
        await late.until("an echo of the first server", () => late.received > 0);
        await within("close", second.close());
        expect(intruder.happenings.length === 0, "the refused server got a connection");
      }),
  },
  {
    id: "failure/one-winner",
    title: "When servers start together at the address of a killed one, exactly one succeeds",
    why: "Two supervisors restart a service at once; clients must not be split between two of them.",
    typicalMs: 200,
    needs: [inOneProcess, hasAddress],
    async run(context) {
      // What a killed server left could be taken over twice, since each new server finds that nobody listens there.
      const first = await context.startPeer();
      await first.kill("SIGKILL");
      const outcomes = await within(
        "four servers starting",
        Promise.allSettled(
          Array.from({ length: 4 }, (_, index) =>
            eventFace(context).listen(first.address, new Recorder(`server ${index}`)),
          ),
        ),
      );
      const winners = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
      const losers = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
      await within("close", Promise.all(winners.map((server) => server.close())));
      expect(winners.length === 1, `${winners.length} of 4 servers listen at ${first.address.name}`);
      for (const error of losers) {
        expect(isIpcError(error) && error.code === "IPC_ADDRESS_IN_USE", `a loser failed with ${String(error)}`);
      }
    },
  },
  {
    id: "failure/file-in-the-way",
    title: "A regular file at the address is neither removed nor overwritten by listen or sweep",
    why: "A mistyped path must not cost the user a file.",
    needs: [inOneProcess, hasAddress],
    run: fileInTheWay,
  },
  {
    id: "failure/stale-address",
    title: "After a server was killed, the next one takes its address over and serves",
    why: "A restart after a crash must not need a person who removes files.",
    typicalMs: 400,
    needs: [hasEventFace, hasAddress, replies],
    async run(context) {
      const first = await context.startPeer();
      const before = await context.connect(first);
      await expectEcho("reply of the first server", before, pattern(20, 1));
      await first.kill("SIGKILL");
      await before.close().catch(() => undefined);
      const second = await context.startPeer({ address: first.address });
      const after = await context.connect(second);
      await expectEcho("reply of its successor", after, pattern(20, 2));
      await within("close", after.close());
      await second.stop();
      await expectNoResidue(context, second.address);
    },
  },
  {
    id: "failure/peer-loss",
    killsPeer: true,
    title: "When the server is killed an idle client notices it as fast as claimed",
    why: "A failover begins only once somebody notices.",
    quick: true,
    typicalMs: 200,
    needs: [hasEventFace, ownProcess, replies, lossIsNoticed],
    async run(context) {
      const peer = await context.startPeer();
      const client = await context.connect(peer);
      await client.request(pattern(20, 1));
      const startedAt = performance.now();
      await peer.kill("SIGKILL");
      await within("onClose after the server was killed", client.closed, LOSS_LIMIT_MS + SLACK_MS);
      context.note("noticedAfterMs", Math.round(performance.now() - startedAt));
    },
  },
  {
    id: "failure/client-loss",
    title: "When a client leaves, the server gets exactly one onClose, and the other clients are served as before",
    why: "Clients crash all day; a server that leaks or stumbles over each of them does not last the day.",
    typicalMs: 50,
    needs: [inOneProcess, replies, reliable, oneWay],
    run: (context) =>
      withPair(context, echoing(new Recorder("the server")), async ({ server, client, atClient, atServer }) => {
        for (let round = 0; round < 5; round += 1) {
          const passing = new Recorder(`passing client ${round}`);
          const connection = await within("connect", eventFace(context).connect(server.address, passing));
          await sendAll(passing, connection, [pattern(40, round)]);
          await passing.until("an echo", () => passing.received > 0);
          await within("close", connection.close());
        }
        await atServer.until("5 closings", () => atServer.closings.length >= 5);
        await sendAll(atClient, client, [pattern(10, 1)]);
        await atClient.until("an echo", () => atClient.received > 0);
        expect(atServer.closings.length === 5, `5 clients left and ${atServer.closings.length} closings came`);
      }),
  },
  {
    id: "failure/max-clients",
    title: "As many clients as claimed are served, and one too many harms none of them",
    why: "A wrong limit is found in production, by the customer who comes last.",
    timeoutMs: 30_000,
    typicalMs: 275,
    needs: [inOneProcess, replies, reliable],
    run: maxClients,
  },
];

async function fileInTheWay(context: CheckContext): Promise<void> {
  const address = await context.allocate();
  const server = await eventFace(context).listen(address, new Recorder("the server"));
  const path = (await context.residue(server.address)).find((object) => object.kind === "path")?.name;
  await within("close", server.close());
  if (path === undefined) {
    context.note("path", "none: the mechanism has no name in the file system");
    return;
  }
  writeFileSync(path, "precious", { mode: 0o600 });
  try {
    await expectCode("listen at a regular file", ["IPC_ADDRESS_IN_USE"], () =>
      eventFace(context).listen(server.address, new Recorder("the server")),
    );
    await context.transport.sweep(server.address);
    expect(lstatSync(path, { throwIfNoEntry: false })?.isFile() === true, `the regular file ${path} was removed`);
    expect(readFileSync(path, "utf8") === "precious", `the regular file ${path} was overwritten`);
  } finally {
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === true) unlinkSync(path);
  }
}

async function maxClients(context: CheckContext): Promise<void> {
  const { maxClients: claimed, peerLoss } = context.transport.capabilities;
  const count = Math.min(claimed, MANY_CLIENTS);
  await withServer(context, echoing(new Recorder("the server")), async (server) => {
    const clients: { side: Recorder; connection: Connection }[] = [];
    const open = async (): Promise<void> => {
      const side = new Recorder(`client ${clients.length}`);
      const connection = await within("connect", eventFace(context).connect(server.address, side));
      clients.push({ side, connection });
    };
    const exchangeAll = (round: number): Promise<unknown> =>
      Promise.all(
        clients.slice(0, count).map(async ({ side, connection }, index) => {
          await sendAll(side, connection, [pattern(32, index)]);
          await side.until("its echo", () => side.received > round);
          expectSame(`echo of client ${index}`, side.messages[round], pattern(32, index));
        }),
      );
    for (let index = 0; index < count; index += 1) await open();
    await exchangeAll(0);
    if (claimed <= MANY_CLIENTS) {
      const refusal = await open().catch((error: unknown) => error);
      if (refusal === undefined && peerLoss !== "undetected") {
        const extra = clients[count]?.side;
        await extra?.until(`the end of client number ${count + 1}`, () => extra.closings.length > 0);
      }
      await exchangeAll(1);
    }
    context.note("clients", count);
    await within("close", Promise.allSettled(clients.map(({ connection }) => connection.close())));
  });
}
