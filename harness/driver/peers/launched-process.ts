import type { Duplex } from "node:stream";
import type { PeerExit } from "../../../scenarios/check.ts";
import type {
  ConnectionHandler,
  EventTransport,
  LaunchedPeer,
  Transport,
} from "../../../transports/contract/transport.ts";
import { CONTROL_ARGS } from "../../process/control-fd.ts";
import { noteExit } from "../../process/crash.ts";
import { inTime } from "../../process/in-time.ts";
import { readLines, writeLine } from "../../process/lines.ts";
import { Mailbox, type Typed } from "../../process/mailbox.ts";

/** Limit of a launch and of the report that a killed process has ended, for transports that do not settle them, ms. */
const LAUNCH_LIMIT_MS = 15_000;
const KILLED_LIMIT_MS = 2000;

/** Process of ours that a transport has launched; its control lines use descriptor 3. */
export class LaunchedProcess<In extends object, Out extends Typed> {
  readonly pid: number;
  readonly exited: LaunchedPeer["exited"];
  readonly mailbox = new Mailbox<Out>();
  readonly #name: string;
  readonly #control: Duplex;
  #running = true;

  /** @param defectOf returns why a value is no message of it */
  constructor(name: string, launched: LaunchedPeer<unknown>, defectOf: (value: unknown) => string | undefined) {
    const { pid, exited, control } = launched;
    this.pid = pid;
    this.exited = exited;
    this.#name = name;
    this.#control = control;
    void exited.then(({ signal }) => {
      this.#running = false;
      noteExit(name, signal);
    });
    const receive = (value: unknown): void => {
      const defect = defectOf(value);
      if (defect === undefined) this.mailbox.put(value as Out);
      else this.mailbox.end(() => `the ${name} process sent an invalid message: ${defect}`);
    };
    readLines(control, receive, () => this.mailbox.end(() => `the ${name} process ended`));
  }

  /** @param handler handler for this side of the connection */
  static async launch<In extends object, Out extends Typed>(
    name: string,
    transport: Transport,
    command: readonly [string, ...string[]],
    handler: ConnectionHandler,
    defectOf: (value: unknown) => string | undefined,
  ): Promise<LaunchedProcess<In, Out>> {
    const { launch } = transport.event as EventTransport & { launch: NonNullable<EventTransport["launch"]> };
    const launched = inTime("launch()", LAUNCH_LIMIT_MS, () => launch([...command, ...CONTROL_ARGS], handler));
    return new LaunchedProcess<In, Out>(name, await launched, defectOf);
  }

  send(message: In): void {
    writeLine(this.#control, message);
  }

  next<Type extends Out["type"]>(types: readonly Type[], timeoutMs: number): Promise<Extract<Out, { type: Type }>> {
    return this.mailbox.next(types, timeoutMs, this.#name);
  }

  signal(name: NodeJS.Signals): void {
    // Once the process has been reaped, another one may have its number.
    if (!this.#running) return;
    try {
      process.kill(this.pid, name);
    } catch {
      // It has ended, and `exited` of the transport is late.
      this.#running = false;
    }
  }

  /**
   * Waits for the end of a process that was asked to end; sends SIGKILL if it does not end in time.
   *
   * @throws HungError when the transport does not report the end
   */
  async finish(timeoutMs: number): Promise<PeerExit> {
    const timer = setTimeout(() => this.signal("SIGKILL"), timeoutMs);
    const what = `"exited" of the ended ${this.#name} process`;
    try {
      return await inTime(what, timeoutMs + KILLED_LIMIT_MS, () => this.exited);
    } finally {
      clearTimeout(timer);
    }
  }

  async terminate(): Promise<void> {
    await this.finish(0);
    this.#control.destroy();
  }
}
