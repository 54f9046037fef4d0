import type { Load } from "./load.ts";

/** Echo as a programmer would write it with one library and without our code. Each module beside this has one. */
export interface EchoArm {
  /** Listens at a fresh address and returns what clients need. Absent where the client starts its peer itself. */
  serve?(directory: string): Promise<string>;
  /** Runs in a process started by `exchange` of the same arm; absent where there is none. */
  peer?(): Promise<void>;
  /** Sends all requests of the load, one after the other, and passes it the replies. */
  exchange(where: string, load: Load): Promise<void>;
}
