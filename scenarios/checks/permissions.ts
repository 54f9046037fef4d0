import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Check } from "../check.ts";
import { hasMethods, ownProcess, repliesOrPublishes } from "../kit/conditions.ts";
import { expect } from "../kit/expect.ts";
import { firstUse } from "../kit/peer.ts";

const GROUP_AND_OTHERS = 0o077;

export const permissions: Check = {
  id: "permissions",
  title: "Everything a mechanism creates is closed to other users while it is in use",
  why: "A socket, segment or queue others may open is a hole in every process that trusts it.",
  typicalMs: 175,
  needs: [
    repliesOrPublishes,
    ownProcess,
    // A user's program is not examined unless it claims permissions: its private directory keeps other users out.
    (capabilities, transport) => capabilities.auth.includes("permissions") || hasMethods(capabilities, transport),
    () => process.platform !== "win32" || "Windows has no permission bits",
  ],
  async run(context) {
    const peer = await context.startPeer();
    await firstUse(context, peer);
    const admitted = await context.residue(peer.address);
    const seen = new Map(admitted.flatMap(({ name, mode }) => (mode === undefined ? [] : [[name, mode]])));
    // The residue is what the mechanism reports itself, so the contents of its directory are examined too.
    const { directory } = context.place;
    for (const name of readdirSync(directory, { recursive: true })) {
      const path = join(directory, String(name));
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat !== undefined && !stat.isSymbolicLink()) seen.set(path, stat.mode & 0o777);
    }
    for (const [name, mode] of seen) {
      expect((mode & GROUP_AND_OTHERS) === 0, `${name} has mode 0${mode.toString(8)}, open to other users`);
    }
    const claims = context.transport.capabilities.auth.includes("permissions");
    const empty = "auth lists permissions, and nothing it created has any";
    expect(!claims || context.transport.capabilities.rendezvous !== "address" || seen.size > 0, empty);
    context.note("objects", seen.size);
  },
};
