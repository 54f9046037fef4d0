import type { Server as NetServer } from "node:net";
import { bindPrivately } from "./socket-path.ts";

/** Number of newcomers that the kernel queues while we are busy; it lowers this to net.core.somaxconn. */
const BACKLOG = 1024;

/** Makes a Node listener listen at a path, with mode 0600 from the start: `bind` happens before `listen` returns. */
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
