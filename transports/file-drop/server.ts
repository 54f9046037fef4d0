import { existsSync } from "node:fs";
import { join } from "node:path";
import { IpcError } from "../contract/errors.ts";
import type { Address, ConnectionHandler, Server } from "../contract/transport.ts";
import { ClosesOnce } from "../support/closing.ts";
import { FileConnection, type Side } from "./connection.ts";
import { listNames, makeFolders, removeAnything, removeEmptyFolders, removeMailbox } from "./files.ts";
import { CLIENT_PATTERN, type Layout, type MailName, parseRequestName, responseName } from "./names.ts";
import { type Owner, releaseOwnership } from "./owner.ts";
import type { Settings } from "./settings.ts";
import { sweepOrphans } from "./sweeper.ts";
import { type Wake, watchFolder } from "./wake.ts";

/** Largest number of clients; further ones must wait until others have gone. */
export const MAX_CLIENTS = 1024;

/** Serves one drop: a connection for every mailbox, and a short one for requests without a mailbox. */
export class FileServer extends ClosesOnce implements Server {
  readonly address: Address;
  readonly #layout: Layout;
  readonly #settings: Settings;
  readonly #handler: ConnectionHandler;
  readonly #owner: Owner;
  readonly #connections = new Map<string, FileConnection>();
  readonly #wakes: Wake[] = [];
  /** Requests that could not be removed. They are skipped, since each look would make a new connection for them. */
  readonly #stuck = new Set<string>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(address: Address, layout: Layout, settings: Settings, handler: ConnectionHandler, owner: Owner) {
    super();
    this.address = address;
    this.#layout = layout;
    this.#settings = settings;
    this.#handler = handler;
    this.#owner = owner;
    try {
      this.#wakes.push(watchFolder(layout.requests, settings, (file) => this.#requestSeen(file)));
      this.#wakes.push(watchFolder(layout.responses, settings, () => this.#lookAtMailboxes()));
    } catch (error) {
      // The first watch may exist already, and would serve requests although `listen` failed.
      this.#stopWatching();
      throw error;
    }
    this.#sweeper = setInterval(() => this.#sweep(), settings.ttlMs / 4);
    this.#sweeper.unref();
    // After `listen` has resolved, so that messages that waited are handled like later ones.
    setImmediate(() => this.#lookAtMailboxes());
  }

  #stopWatching(): void {
    for (const wake of this.#wakes) wake.close();
  }

  #requestSeen(file: string | undefined): void {
    const name = file === undefined ? undefined : parseRequestName(file);
    if (name !== undefined && this.#connections.get(name.client)?.isPast(name)) return;
    this.#lookAtRequests();
  }

  #lookAtRequests(): void {
    if (this.isClosing) return;
    const byClient = new Map<string, MailName[]>();
    for (const name of this.#listRequests()) {
      const list = byClient.get(name.client);
      if (list === undefined) byClient.set(name.client, [name]);
      else list.push(name);
    }
    for (const [client, names] of byClient) this.#connectionOf(client)?.look(names);
  }

  /** Finds newcomers and clients that have gone; then looks at the requests. */
  #lookAtMailboxes(): void {
    if (this.isClosing) return;
    makeFolders(this.#layout);
    const mailboxes = new Set(listNames(this.#layout.responses));
    for (const client of mailboxes) if (CLIENT_PATTERN.test(client)) this.#connectionOf(client);
    this.#lookAtRequests();
    for (const [client, connection] of this.#connections) {
      if (!mailboxes.has(client)) connection.look(this.#listRequests(client));
    }
  }

  #listRequests(client?: string): MailName[] {
    const files = listNames(this.#layout.requests);
    for (const file of this.#stuck) if (!files.includes(file)) this.#stuck.delete(file);
    const names = files.flatMap((file) => (this.#stuck.has(file) ? [] : (parseRequestName(file) ?? [])));
    return client === undefined ? names : names.filter((name) => name.client === client);
  }

  #connectionOf(client: string): FileConnection | undefined {
    const known = this.#connections.get(client);
    if (known !== undefined || this.#connections.size >= MAX_CLIENTS) return known;
    const connection = new FileConnection({
      settings: this.#settings,
      layout: this.#layout,
      handler: this.#handler,
      client,
      side: this.#sideOf(client),
    });
    this.#connections.set(client, connection);
    this.#handler.onOpen(connection);
    return connection;
  }

  #sideOf(client: string): Side {
    const mailbox = join(this.#layout.responses, client);
    const epoch = this.#owner.epoch;
    return {
      mailbox,
      list: () => this.#listRequests(client),
      pathOf: (name) => join(this.#layout.requests, name.file),
      target: (serial, answers) => join(mailbox, responseName({ epoch, serial }, answers, this.#settings.raw)),
      readerLives: () => existsSync(mailbox),
      ended: () => this.#forget(client, mailbox),
    };
  }

  /** Removes the mailbox, which ends the client, and the requests whose reply nobody could receive. Never throws. */
  #forget(client: string, mailbox: string): void {
    this.#connections.delete(client);
    removeMailbox(mailbox);
    for (const { file } of this.#listRequests(client)) {
      if (!removeAnything(join(this.#layout.requests, file))) this.#stuck.add(file);
    }
  }

  #sweep(): void {
    const lost = sweepOrphans(this.#layout, this.#settings.ttlMs, Date.now());
    const { transport, ttlMs } = this.#settings;
    for (const client of lost) {
      const message = `${transport}: client ${client} gave no sign of life for ${ttlMs} ms`;
      this.#connections.get(client)?.fail(new IpcError("IPC_PEER_LOST", message, { transport }));
    }
  }

  protected override async closeOnce(): Promise<void> {
    clearInterval(this.#sweeper);
    this.#stopWatching();
    const closing = [...this.#connections.values()].map((connection) => connection.close());
    await Promise.allSettled(closing);
    releaseOwnership(this.#layout, this.#owner);
    removeEmptyFolders(this.#layout);
  }
}
