import { type FSWatcher, watch } from "node:fs";
import { toIpcError } from "../contract/errors.ts";

/** Events get lost (a full inotify queue, a network file system): the folder is looked at this often in any case. */
const RESCAN_MS = 250;

/** How a side learns that something was dropped. */
export interface WakeOptions {
  /** Id of the transport, for error messages. */
  readonly transport: string;
  /** undefined: `fs.watch`. A number: look every so many milliseconds. */
  readonly pollMs: number | undefined;
  /** For tests: behave as if every event was lost. */
  readonly dropEvents?: boolean;
}

export interface Wake {
  close(): void;
}

/**
 * Calls `onLook` whenever `directory` may have changed; `file` is the name it is about, where one is known.
 *
 * @throws IpcError IPC_SHORTAGE (ENOSPC or EMFILE: the inotify limits of this user), IPC_PEER_LOST (no such folder)
 */
export function watchFolder(directory: string, options: WakeOptions, onLook: (file?: string) => void): Wake {
  const timer = setInterval(() => onLook(), options.pollMs ?? RESCAN_MS);
  if (options.pollMs !== undefined) return { close: () => clearInterval(timer) };
  let watcher: FSWatcher;
  try {
    watcher = watch(directory, { persistent: true }, (_event, file) => {
      if (!options.dropEvents) onLook(file ?? undefined);
    });
  } catch (error) {
    clearInterval(timer);
    throw toIpcError(error, options.transport);
  }
  // The folder went away, or the kernel ran out of something: the periodic look goes on and finds out which.
  watcher.on("error", () => watcher.close());
  return {
    close() {
      clearInterval(timer);
      watcher.close();
    },
  };
}
