import { fileURLToPath } from "node:url";
import { IpcError } from "../../../transports/contract/errors.ts";
import type { Transport } from "../../../transports/contract/transport.ts";
import { Child } from "../../process/child.ts";
import {
  CLIENT_MODELS,
  type ClientModel,
  type FromClient,
  type ToClient,
  type Usages,
} from "../../process/client-messages.ts";
import { rejection } from "../../process/failure.ts";
import { clientDefect } from "../../process/message-rules.ts";
import type { DriverStart, PeerReady } from "../../process/messages.ts";
import { clientWindowOf } from "../models/client-window.ts";
import { givenUp, type PreparedModel, type Site, type Window } from "../models/model.ts";
import { READY_TIMEOUT_MS, type RunningPeer } from "./running-peer.ts";

/** Longest window. The client ends one itself when no reply comes, and the coordinator ends a driver that hangs. */
const WINDOW_TIMEOUT_MS = 60 * 60 * 1000;
const ANSWER_TIMEOUT_MS = 5000;
/** Longest wait for the receiver's report on a stream. */
const REPORT_TIMEOUT_MS = 10_000;

/** Measuring client in another language. The driver only orders windows: the loop and its clock are in the client. */
export class PythonClient {
  readonly info: Omit<PeerReady, "type">;
  readonly #child: Child<ToClient, FromClient>;
  readonly #transport: string;

  private constructor(transport: string, child: Child<ToClient, FromClient>, { type: _type, ...info }: PeerReady) {
    this.info = info;
    this.#child = child;
    this.#transport = transport;
  }

  /** Starts a client and connects it to a server. @throws IpcError as `EventTransport.connect` */
  static async start(
    transport: Transport,
    start: DriverStart,
    { address }: RunningPeer,
    onSpawn: (pid: number) => void,
  ): Promise<PythonClient> {
    const command = commandOf(transport, start);
    const child: Child<ToClient, FromClient> = await Child.start("client", command, { defectOf: clientDefect });
    onSpawn(child.pid);
    child.send({ type: "start", transport: start.transport, mode: start.mode, address, key: null });
    const answer = await child.next(["ready", "failed"], READY_TIMEOUT_MS).catch(async (error: unknown) => {
      await child.terminate(0);
      throw error;
    });
    if (answer.type === "ready") return new PythonClient(transport.id, child, answer);
    await child.terminate();
    throw rejection(transport.id, answer);
  }

  /** Returns the resources that the client and its server have used so far. @param hold as `RunningPeer.usage` */
  async usages(hold: boolean, ofServer: boolean): Promise<Usages> {
    this.#child.send({ type: "report-usage", server: ofServer, hold });
    return this.#answer("usages", ANSWER_TIMEOUT_MS);
  }

  /** Returns a model whose loop runs in the client. @throws Error for a model that it does not have */
  prepare(
    peer: RunningPeer,
    { model, payloadBytes }: { readonly model: string; readonly payloadBytes: number },
  ): PreparedModel {
    const known = CLIENT_MODELS.find((each) => each === model);
    if (known === undefined) throw new Error(`a client in ${this.info.language} has no model ${model}`);
    return { window: (messages) => this.#window(peer, known, messages, payloadBytes) };
  }

  async #window(peer: RunningPeer, model: ClientModel, messages: number, payloadBytes: number): Promise<Window> {
    this.#child.send({ type: "run", model, messages, payloadBytes });
    try {
      const found = clientWindowOf(await this.#answer("load-window", WINDOW_TIMEOUT_MS));
      if (model === "ping-pong" || found.problem !== undefined) return found;
      const { received, duplicated, reordered, corrupted, lastNs } = await peer.streamReport(REPORT_TIMEOUT_MS);
      const lost = Math.max(0, messages - (received - duplicated) - corrupted);
      // Both processes read the same CLOCK_MONOTONIC, so the difference is a duration.
      const elapsedNs = Number(BigInt(lastNs) - found.startedNs);
      return { messages: received, elapsedNs, samples: null, lost, duplicated, reordered, corrupted };
    } catch (error) {
      return givenUp(messages, (error as Error).message);
    }
  }

  async close(shutdown: boolean): Promise<void> {
    this.#child.send({ type: "stop", shutdown });
    await this.#answer("done", ANSWER_TIMEOUT_MS).finally(() => this.#child.finish(ANSWER_TIMEOUT_MS));
  }

  async #answer<Type extends FromClient["type"]>(
    type: Type,
    timeoutMs: number,
  ): Promise<Extract<FromClient, { type: Type }>> {
    const wanted: readonly FromClient["type"][] = [type, "failed"];
    const answer: FromClient = await this.#child.next(wanted, timeoutMs);
    if (answer.type === "failed") throw rejection(this.#transport, answer);
    return answer as Extract<FromClient, { type: Type }>;
  }
}

/** Open connection of a client in another language to a running peer. */
export interface ForeignLink {
  readonly face: "foreign";
  readonly client: PythonClient;
  readonly peer: RunningPeer;
}

/** Site of a trial whose client is in another language: its loops run there, and not in a model of ours. */
export type ForeignSite = Omit<Site, "link"> & { readonly link: ForeignLink };

function commandOf(transport: Transport, { clientLanguage = "", clientProgram }: DriverStart): string[] {
  const command = transport.clients?.[clientLanguage];
  if (command === undefined) {
    throw new IpcError("IPC_UNSUPPORTED", `${transport.id} has no client written in ${clientLanguage}`, {
      transport: transport.id,
    });
  }
  const [found, ...rest] = command;
  const script = fileURLToPath(new URL("../../peer/python/client.py", import.meta.url));
  return [clientProgram ?? found, ...rest.map((part) => (part === "client.py" ? script : part))];
}
