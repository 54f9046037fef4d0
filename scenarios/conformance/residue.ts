import { sep } from "node:path";
import type { OsObject } from "../../transports/contract/transport.ts";
import type { Check, CheckContext } from "../check.ts";
import { hasAddress, hasEventFace, inOneProcess } from "../kit/conditions.ts";
import { expect, expectCode, within } from "../kit/expect.ts";
import { eventFace, withServer } from "../kit/one-process.ts";
import { expectNoResidue, expectOrderlyExit } from "../kit/peer.ts";
import { Recorder } from "../kit/recorder.ts";

const GROUP_AND_OTHERS = 0o077;

/** Checks of the objects in the operating system, while in use and afterwards. */
export const residue: readonly Check[] = [
  {
    id: "residue/private",
    title: "While in use everything has a private name and is closed to other users",
    why: "A socket or segment that others may open is a hole in every process that trusts it.",
    quick: true,
    needs: [inOneProcess],
    run: (context) =>
      withServer(context, new Recorder("the server"), async (server) => {
        const client = await within("connect", eventFace(context).connect(server.address, new Recorder("the client")));
        const held = await context.residue(server.address);
        for (const object of held) expectPrivate(context, object);
        context.note("objects", held.length);
        await within("close", client.close());
      }),
  },
  {
    id: "residue/clean-end",
    title: "After an orderly end nothing is left",
    why: "Leftovers of every run fill the machine: segments are memory, names block the next start.",
    typicalMs: 250,
    needs: [hasEventFace, hasAddress],
    async run(context) {
      const peer = await context.startPeer();
      const client = await context.connect(peer);
      await within("close", client.close());
      await expectOrderlyExit("the server", peer.stop());
      await expectNoResidue(context, peer.address, "after an orderly end");
    },
  },
  {
    id: "residue/sweep",
    title: "sweep removes what a killed server left, and may be called again",
    why: "It runs at every start, whether or not there is anything to remove.",
    typicalMs: 200,
    needs: [hasEventFace, hasAddress],
    async run(context) {
      const { transport } = context;
      const peer = await context.startPeer();
      const client = await context.connect(peer);
      await peer.kill("SIGKILL");
      await client.close().catch(() => undefined);
      context.note("leftByTheKill", (await context.residue(peer.address)).length);
      await within("sweep", transport.sweep(peer.address));
      await expectNoResidue(context, peer.address, "after sweep");
      await within("a second sweep", transport.sweep(peer.address));
      await within("sweep of an address never used", transport.sweep(await context.allocate()));
    },
  },
  {
    id: "residue/refused-listen",
    title: "A listen that was refused leaves exactly what was there before",
    why: "A second start by mistake must not damage the first on its way out.",
    needs: [inOneProcess],
    run: (context) =>
      withServer(context, new Recorder("the server"), async (server) => {
        const before = (await context.residue(server.address)).map((object) => object.name).sort();
        await expectCode("the second listen", ["IPC_ADDRESS_IN_USE"], () =>
          eventFace(context).listen(server.address, new Recorder("the second server")),
        );
        const after = (await context.residue(server.address)).map((object) => object.name).sort();
        expect(before.join() === after.join(), `before: ${before.join(", ")}; after: ${after.join(", ")}`);
      }),
  },
];

function expectPrivate(context: CheckContext, object: OsObject): void {
  const { directory, prefix } = context.place;
  const { kind, name, mode } = object;
  if (kind === "path") expect(name.startsWith(`${directory}${sep}`), `${name} lies outside the private ${directory}`);
  else if (kind !== "port") expect(name.includes(prefix), `${kind} ${name} does not carry the prefix ${prefix}`);
  if (mode === undefined) return;
  expect((mode & GROUP_AND_OTHERS) === 0, `${name} has mode 0${mode.toString(8)}, open to other users`);
}
