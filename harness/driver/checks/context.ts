import { rmSync } from "node:fs";
import type {
  CheckClient,
  CheckContext,
  ClientLoad,
  ClientOptions,
  ClientResult,
  ContainerOutcome,
  FanOutLoad,
  ForeignOutcome,
  Namespace,
  Peer,
  PeerOptions,
  ReconnectingClient,
  Sender,
  SenderPlan,
  StreamTotals,
} from "../../../scenarios/check.ts";
import { PROGRAM, type WaitMode } from "../../../transports/contract/capabilities.ts";
import { IpcError } from "../../../transports/contract/errors.ts";
import type {
  Address,
  ConnectionHandler,
  LaunchedRawClient,
  OsObject,
  Place,
  RawClient,
  Transport,
} from "../../../transports/contract/transport.ts";
import { type DriverProcess, startDriver } from "../../process/driver-process.ts";
import { rejection } from "../../process/failure.ts";
import { allocate } from "../../process/journal.ts";
import { driverDefect } from "../../process/message-rules.ts";
import type { ClientWork, DriverStart, FromDriver, ToDriver } from "../../process/messages.ts";
import { nodeCommand } from "../../process/node-command.ts";
import { processTree } from "../../process/process-tree.ts";
import { descriptorShortage, descriptorsLeft } from "../../process/shortage.ts";
import type { RpcClient } from "../../rpc/client.ts";
import { ReconnectingRpc } from "../../rpc/reconnecting.ts";
import { LaunchedProcess } from "../peers/launched-process.ts";
import { explained, type RunningPeer } from "../peers/running-peer.ts";
import { startPeer } from "../peers/start-peer.ts";
import { CleanUp } from "./clean-up.ts";
import { answerOf, type LoadClient, loadFromHere, type OwnProcess, resultIn } from "./client-processes.ts";
import { attemptInContainers } from "./containers.ts";
import { publishTo } from "./fan-out.ts";
import { attemptAsNobody } from "./foreign-user.ts";
import { endPeer, type SharedPeer, subPlace } from "./shared-peer.ts";
import { untilStopped } from "./until-stopped.ts";

const CLOSE_TIMEOUT_MS = 200;

export interface WorkbenchOptions {
  readonly transport: Transport;
  readonly start: DriverStart;
  readonly signal: AbortSignal;
  readonly send: (message: FromDriver) => void;
  /** Server for all checks that do not need their own; undefined: every check starts a new one. */
  readonly shared: SharedPeer | undefined;
}

/** Context of one check; `cleanUp` ends and sweeps everything that the check started or allocated. */
export class Workbench implements CheckContext {
  readonly transport: Transport;
  readonly place: Place;
  readonly signal: AbortSignal;
  readonly notes: Record<string, string | number | boolean> = {};
  /** Servers that run an event loop, or are a user's program, so that they must answer at any time. */
  readonly answering = new Set<RunningPeer>();
  readonly #options: WorkbenchOptions;
  readonly #peers = new Map<Peer, RunningPeer>();
  readonly #own: RunningPeer[] = [];
  readonly #clients: RpcClient[] = [];
  readonly #reconnecting: ReconnectingRpc[] = [];
  readonly #children: OwnProcess[] = [];
  readonly #rawClients: RawClient[] = [];
  readonly #addresses: Address[] = [];

  constructor(options: WorkbenchOptions) {
    this.transport = options.transport;
    this.place = subPlace(options.start.place);
    this.signal = options.signal;
    this.#options = options;
  }

  async allocate(): Promise<Address> {
    const { transport, start } = this.#options;
    const address = await allocate(transport, start.transport, start.place, this.place);
    this.#addresses.push(address);
    return address;
  }

  async startPeer(options: PeerOptions = {}): Promise<Peer> {
    const { shared } = this.#options;
    if (shared === undefined || Object.keys(options).length > 0)
      return this.#introduce(await this.startNew(options), options.mode);
    if (shared.running === undefined) {
      const { transport, start } = this.#options;
      const address = await allocate(transport, start.transport, start.place, subPlace(start.place));
      await shared.adopt(await this.#start({}, address), () => transport.sweep(address));
    }
    return this.#introduce(shared.running as RunningPeer);
  }

  /** Starts a server that no check has used, whatever server the checks share. */
  async startNew(options: PeerOptions = {}): Promise<RunningPeer> {
    const running = await this.#start(options, options.address ?? (await this.allocate()));
    this.#own.push(running);
    return running;
  }

  /** True where a client of this check has had a reply. */
  get hasReply(): boolean {
    return [...this.#clients, this.#options.shared?.client].some((client) => client?.hasReply);
  }

  #start(options: PeerOptions, address: Address): Promise<RunningPeer> {
    const { transport, start, send } = this.#options;
    const language = options.language ?? start.peerLanguage;
    return startPeer({
      transport,
      reference: start.transport,
      // The default serves a mechanism without an event face by a blocking loop, as it is meant to be.
      mode: options.mode ?? transport.capabilities.modes[0],
      address,
      pin: start.peerPin,
      language,
      program: language === start.peerLanguage ? start.peerProgram : undefined,
      onSpawn: (pid) => send({ type: "spawned", pid }),
      ...(options.key === undefined ? {} : { key: options.key }),
    });
  }

  #introduce(running: RunningPeer, mode: WaitMode | undefined = this.transport.capabilities.modes[0]): Peer {
    const { language, pid } = running.info;
    const isLoop = mode === "event" && language === "node" && pid !== process.pid;
    if (isLoop || language === PROGRAM) this.answering.add(running);
    const leave = (): RunningPeer => {
      this.answering.delete(running);
      return running;
    };
    const peer: Peer = {
      address: running.address,
      pid,
      kill: (signal) => leave().kill(signal),
      stop: () => leave().stop(),
      exited: running.exited,
      async freeze() {
        leave().freeze();
        await Promise.all((isProgram(running) ? processTree(pid) : [pid]).map(untilStopped));
      },
      thaw: () => running.thaw(),
      usage: async () => (isProgram(running) ? running.usage() : null),
    };
    this.#peers.set(peer, running);
    return peer;
  }

  #running(peer: Peer): RunningPeer {
    const running = this.#peers.get(peer);
    if (running === undefined) throw new TypeError("not a peer of this check");
    return running;
  }

  async connect(peer: Peer, options: ClientOptions = {}): Promise<CheckClient> {
    const running = this.#running(peer);
    const { shared } = this.#options;
    if (running === shared?.running && this.transport.capabilities.rendezvous === "parent") {
      return shared.onlyClient(running);
    }
    const client = await running.connect(options);
    this.#clients.push(client);
    return client;
  }

  async publish(peer: Peer, load: FanOutLoad): Promise<readonly StreamTotals[]> {
    return publishTo(this.transport, this.#running(peer), load);
  }

  async reconnecting(peer: Peer): Promise<ReconnectingClient> {
    const running = this.#running(peer);
    const client = new ReconnectingRpc(() => running.connect());
    this.#reconnecting.push(client);
    return client;
  }

  async runClients(peer: Peer, load: ClientLoad, onConnected?: () => void): Promise<readonly ClientResult[]> {
    const { connectionsEach: connections, requestsEach, bodyBytes } = load;
    const work: ClientWork = { kind: "client", address: peer.address, connections, requestsEach, bodyBytes };
    this.#needsAddress();
    // This process is one of the clients, because starting another one takes longer than the work of a client.
    const here = load.processes > 1 ? [loadFromHere(this.transport, work)] : [];
    const elsewhere = Array.from({ length: load.processes - here.length }, () => this.#startClient(work));
    const left = descriptorsLeft(peer.pid);
    const clients = [...here, ...(await Promise.all(elsewhere))];
    const connected = await Promise.all(clients.map((client) => client.connected()));
    const explain = (found: IpcError | undefined): IpcError | undefined =>
      found?.code === "IPC_SHORTAGE" ? found : descriptorShortage(left, connections * load.processes);
    const refused = connected.find((each) => each.refused !== undefined)?.refused;
    if (refused !== undefined) {
      const error = rejection(this.transport.id, refused);
      const served = connected.reduce((sum, each) => sum + each.connections, 0);
      for (const client of clients) client.begin();
      throw serves(served, explain(error)) ?? error;
    }
    onConnected?.();
    for (const client of clients) client.begin();
    const results = await Promise.all(clients.map((client) => client.result()));
    const { shortage } = results.find((result) => result.shortage !== undefined) ?? {};
    const lacking = shortage === undefined ? undefined : new IpcError("IPC_SHORTAGE", shortage);
    const explained = results.some(({ failed }) => failed > 0) ? explain(lacking) : undefined;
    if (explained !== undefined) throw explained;
    return results;
  }

  /** Returns the shortage of the machine that ended a server of this check, if one did. */
  shortage(): IpcError | undefined {
    const failures = [...this.#peers.values()].map((running) => running.failure());
    return failures.find((failure) => failure?.code === "IPC_SHORTAGE");
  }

  /** Adds to a failure that a user's program died or went wrong, if so, with the last line that it printed. */
  async explain(failure: unknown): Promise<unknown> {
    const { id } = this.transport;
    for (const running of [...this.#peers.values()].toReversed()) {
      const text = await explained(id, running, failure instanceof Error ? failure.message : String(failure));
      if (text !== undefined) return new Error(text, { cause: failure });
    }
    return failure;
  }

  async connectAsNobody(peer: Peer): Promise<ForeignOutcome> {
    this.#needsAddress();
    return attemptAsNobody({
      start: this.#options.start,
      address: peer.address,
      unserved: await this.allocate(),
      onSpawn: (child) => this.#adopt(child),
    });
  }

  async inContainers(shared: readonly Namespace[]): Promise<ContainerOutcome> {
    const { transport, start, send } = this.#options;
    const onSpawn = (pid: number): void => send({ type: "spawned", pid });
    return attemptInContainers({ transport, start, address: await this.allocate(), shared, onSpawn });
  }

  async startSender(plan: SenderPlan, parent?: ConnectionHandler): Promise<Sender> {
    const child = await (parent === undefined ? this.#senderAtAddress() : this.#launchedSender(parent));
    this.#adopt(child);
    child.send({ ...this.#options.start, work: { kind: "sender", ...plan } });
    const { address } = await answerOf(child, "sender-ready");
    const outcome = answerOf(child, "sender-done").then(async ({ type: _type, ...said }) => {
      await child.exited;
      return said;
    });
    outcome.catch(() => {});
    return { address, outcome, begin: () => child.send({ type: "begin" }) };
  }

  #senderAtAddress(): Promise<DriverProcess> {
    this.#needsAddress();
    return startDriver("sender");
  }

  #launchedSender(parent: ConnectionHandler): Promise<LaunchedProcess<ToDriver, FromDriver>> {
    return LaunchedProcess.launch("sender", this.transport, nodeCommand("driver/main"), parent, driverDefect);
  }

  async #startClient(work: ClientWork): Promise<LoadClient> {
    const child = await startDriver("client");
    this.#adopt(child);
    child.send({ ...this.#options.start, work });
    return {
      connected: () => answerOf(child, "connected"),
      begin: () => child.send({ type: "begin" }),
      result: async () => resultIn(await answerOf(child, "client")),
    };
  }

  #adopt(child: OwnProcess): void {
    this.#children.push(child);
    this.#options.send({ type: "spawned", pid: child.pid });
  }

  #needsAddress(): void {
    if (this.transport.capabilities.rendezvous === "address") return;
    throw new IpcError("IPC_UNSUPPORTED", `${this.transport.id}: no other process can reach this peer`);
  }

  async connectRaw(address: Address): Promise<RawClient> {
    if (this.transport.connectRaw === undefined) throw new TypeError(`${this.transport.id} has no connectRaw`);
    const rawClient = await this.transport.connectRaw(address);
    this.#rawClients.push(rawClient);
    return rawClient;
  }

  async launchRaw(handler: ConnectionHandler): Promise<LaunchedRawClient> {
    const { id, launchRaw } = this.transport;
    if (launchRaw === undefined) throw new TypeError(`${id} has no launchRaw`);
    const rawClient = await launchRaw(handler);
    this.#options.send({ type: "spawned", pid: rawClient.pid });
    this.#rawClients.push(rawClient);
    return rawClient;
  }

  residue(address: Address): Promise<readonly OsObject[]> {
    return this.transport.residue(address);
  }

  note(name: string, value: string | number | boolean): void {
    this.notes[name] = value;
  }

  /**
   * Closes and ends everything. Never throws, and every step has a limit: signals end what a broken transport cannot
   * close.
   *
   * @returns clause about the first step that did not settle; undefined if all have
   */
  async cleanUp(): Promise<string | undefined> {
    const cleanUp = new CleanUp();
    const all = <Item>(items: readonly Item[], end: (item: Item) => unknown): (() => Promise<unknown>) => {
      return () => Promise.allSettled(items.map(async (item) => end(item)));
    };
    await cleanUp.step(
      "the end of a raw client",
      all(this.#rawClients, (raw) => raw[Symbol.asyncDispose]()),
    );
    // The limit of closing is examined by a check, so a transport that exceeds it is no finding here.
    const closing = new CleanUp(2 * CLOSE_TIMEOUT_MS);
    await closing.step(
      "close()",
      all(this.#reconnecting, (client) => client.close()),
    );
    await closing.step(
      "close()",
      all(this.#clients, (client) => client.connection.close(CLOSE_TIMEOUT_MS)),
    );
    await cleanUp.step(
      "the end of a process",
      all(this.#children, (child) => child.terminate()),
    );
    await cleanUp.step("the end of a server", all(this.#own, endPeer));
    await cleanUp.step("sweep()", async () => {
      for (const address of this.#addresses) await this.transport.sweep(address).catch(() => undefined);
    });
    rmSync(this.place.directory, { recursive: true, force: true });
    return cleanUp.obstacle;
  }
}

const isProgram = ({ info }: RunningPeer): boolean => info.language === PROGRAM;

function serves(clients: number, shortage: IpcError | undefined): IpcError | undefined {
  if (shortage === undefined) return undefined;
  const text = `serves ${clients} client${clients === 1 ? "" : "s"} here: ${shortage.message}`;
  return new IpcError("IPC_SHORTAGE", text, { cause: shortage });
}
