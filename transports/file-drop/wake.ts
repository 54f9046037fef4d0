import { type FSWatcher, watch } from "node:fs";
import { toIpcError } from "../contract/errors.ts";

/** Interval of the periodic look, ms, since events can get lost (full inotify queue, network file system). */
const RESCAN_MS = 250;

/** Settings of how a side notices new files. */
export interface WakeOptions {
  /** Id of the transport, for error messages. */
  readonly transport: string;
  /** Interval of polling, ms; undefined for `fs.watch`. */
  readonly pollMs: number | undefined;
  /** For tests: ignore every event. */
  readonly dropEvents?: boolean;
}

export interface Wake {
  close(): void;
}

/**
 * Calls `onLook` whenever `directory` may have changed; `file` is the changed name, where one is known.
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
  // The folder is gone, or the kernel lacks something; the periodic look continues and finds out which.
  watcher.on("error", () => watcher.close());
  return {
    close() {
      clearInterval(timer);
      watcher.close();
    },
  };
}
