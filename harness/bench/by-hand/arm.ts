import type { WaitMode } from "../../../transports/contract/capabilities.ts";
import type { Load } from "./load.ts";

/** Echo as a programmer would write it with one library and without our code. Each module beside this has one. */
export interface EchoArm {
  /** Transport and mode of our side; default: the id of the arm, and `event`. */
  readonly ours?: { readonly id: string; readonly mode: WaitMode };
  /** True where the client polls, so that a peer that it starts must run on another CPU. */
  readonly isApart?: true;
  /** Listens at a fresh address and returns what clients need. Absent where the client starts its peer itself. */
  serve?(directory: string): Promise<string>;
  /** Runs in a process started by `exchange` of the same arm; absent where there is none. */
  peer?(): Promise<void>;
  /** Sends all requests of the load, one after the other, and passes it the replies. */
  exchange(where: string, load: Load): Promise<void>;
}
