import type { Load } from "./load.ts";

/** One way to echo. Each module beside this one is what a programmer would write who knows that library and nothing of ours. */
export interface EchoArm {
  /** Listens at a fresh address and returns what clients need. Absent where the client starts its peer itself. */
  serve?(directory: string): Promise<string>;
  /** Runs in a process started by `exchange` of the same arm; absent where there is none. */
  peer?(): Promise<void>;
  /** Sends all requests of the load, one after the other, and hands it the replies. */
  exchange(where: string, load: Load): Promise<void>;
}
