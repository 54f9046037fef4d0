import type {
  CheckClient,
  CheckContext,
  ClientLoad,
  ClientOptions,
  ClientResult,
  Peer,
  PeerOptions,
} from "../../../transports/contract/check.ts";
import { IpcError } from "../../../transports/contract/errors.ts";
import type { Address, OsObject, Stranger, Transport } from "../../../transports/contract/transport.ts";
import { Child } from "../../process/child.ts";
import type { DriverStart, FromDriver } from "../../process/messages.ts";
import { nodeCommand } from "../../process/node-command.ts";
import { allocate } from "../../process/place.ts";
import type { RpcClient } from "../../rpc/client.ts";
import type { RunningPeer } from "../peers/running-peer.ts";
import { startPeer } from "../peers/start-peer.ts";

const CLIENT_PROCESS_TIMEOUT_MS = 60_000;

/** What one check works with; `cleanUp` ends and sweeps everything it started or allocated. */
export class Workbench implements CheckContext {
  readonly transport: Transport;
  readonly place: CheckContext["place"];
  readonly signal: AbortSignal;
  readonly notes: Record<string, string | number | boolean> = {};
  readonly #start: DriverStart;
  readonly #send: (message: FromDriver) => void;
  readonly #peers = new Map<Peer, RunningPeer>();
  readonly #clients: RpcClient[] = [];
  readonly #children: Child<DriverStart, FromDriver>[] = [];
  readonly #strangers: Stranger[] = [];
  readonly #addresses: Address[] = [];

  constructor(transport: Transport, start: DriverStart, signal: AbortSignal, send: (message: FromDriver) => void) {
    this.transport = transport;
    this.place = start.place;
    this.signal = signal;
    this.#start = start;
    this.#send = send;
  }

  async allocate(): Promise<Address> {
    const address = await allocate(this.transport, this.#start.transport, this.place);
    this.#addresses.push(address);
    return address;
  }

  async startPeer(options: PeerOptions = {}): Promise<Peer> {
    const running = await startPeer({
      transport: this.transport,
      reference: this.#start.transport,
      // A mechanism without an event face is served the way it is meant to be: by a blocking loop.
      mode: this.transport.capabilities.modes[0],
      address: options.address ?? (await this.allocate()),
      pin: this.#start.peerPin,
      language: this.#start.peerLanguage,
      onSpawn: (pid) => this.#send({ type: "spawned", pid }),
      ...(options.key === undefined ? {} : { key: options.key }),
    });
    const peer: Peer = {
      address: running.address,
      pid: running.info.pid,
      kill: (signal) => running.kill(signal),
      stop: () => running.stop(),
      freeze: () => running.freeze(),
      thaw: () => running.thaw(),
    };
    this.#peers.set(peer, running);
    return peer;
  }

  async connect(peer: Peer, options: ClientOptions = {}): Promise<CheckClient> {
    const running = this.#peers.get(peer);
    if (running === undefined) throw new TypeError("not a peer of this check");
    const client = await running.connect(options);
    this.#clients.push(client);
    return client;
  }

  async runClients(peer: Peer, load: ClientLoad): Promise<readonly ClientResult[]> {
    if (this.transport.capabilities.rendezvous !== "address") {
      throw new IpcError("IPC_UNSUPPORTED", `${this.transport.id}: no other process can reach this peer`);
    }
    return Promise.all(Array.from({ length: load.processes }, () => this.#runClient(peer.address, load)));
  }

  async #runClient(address: Address, load: ClientLoad): Promise<ClientResult> {
    const child = await Child.start<DriverStart, FromDriver>("client", nodeCommand("driver/main"));
    this.#children.push(child);
    this.#send({ type: "spawned", pid: child.pid });
    const { connectionsEach: connections, requestsEach, bodyBytes } = load;
    child.send({ ...this.#start, work: { kind: "client", address, connections, requestsEach, bodyBytes } });
    const answer = await child.next(["client", "failed"], CLIENT_PROCESS_TIMEOUT_MS);
    if (answer.type === "failed") throw new Error(`a client process failed: ${answer.message}`);
    const { type: _type, ...result } = answer;
    return result;
  }

  async stranger(address: Address): Promise<Stranger> {
    if (this.transport.stranger === undefined) throw new TypeError(`${this.transport.id} lets no stranger in`);
    const stranger = await this.transport.stranger(address);
    this.#strangers.push(stranger);
    return stranger;
  }

  residue(address: Address): Promise<readonly OsObject[]> {
    return this.transport.residue(address);
  }

  note(name: string, value: string | number | boolean): void {
    this.notes[name] = value;
  }

  /** Never throws: what a broken transport cannot close, the signals end. */
  async cleanUp(): Promise<void> {
    const quietly = (promise: Promise<unknown>): Promise<unknown> => promise.catch(() => undefined);
    await Promise.all(this.#strangers.map((stranger) => quietly(Promise.resolve(stranger[Symbol.asyncDispose]()))));
    await Promise.all(this.#clients.map((client) => quietly(client.connection.close(200))));
    await Promise.all(this.#children.map((child) => quietly(child.terminate())));
    await Promise.all([...this.#peers].map(([peer, running]) => quietly(end(peer, running))));
    for (const address of this.#addresses) await quietly(this.transport.sweep(address));
  }
}

/** A stopped process takes no SIGTERM: let it run first, and do not wait for a server that a check has broken. */
async function end(peer: Peer, running: RunningPeer): Promise<void> {
  if (peer.pid === process.pid) {
    await running.stop();
    return;
  }
  running.thaw();
  const timer = setTimeout(() => void running.kill("SIGKILL"), 500);
  await running.stop();
  clearTimeout(timer);
}
