import type { Server as NetServer } from "node:net";
import { bindPrivately } from "./socket-path.ts";

/** Newcomers that the kernel keeps while we are busy; it lowers the figure to net.core.somaxconn. */
const BACKLOG = 1024;

/** Puts a Node listener at a path with mode 0600 from the start: `bind` happens before `listen` returns. */
export async function listenPrivately(listener: NetServer, path: string): Promise<void> {
  const bound = new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.once("listening", () => {
      listener.off("error", reject);
      resolve();
    });
  });
  bindPrivately(() => listener.listen({ path, backlog: BACKLOG, exclusive: true }));
  await bound;
}
