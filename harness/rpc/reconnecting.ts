import { setTimeout as delay } from "node:timers/promises";
import { IpcError, isIpcError } from "../../transports/contract/errors.ts";
import type { RequestOptions, RpcClient } from "./client.ts";

/** First and longest pause between attempts to connect, ms. The pause doubles; jitter takes away up to half of it. */
const FIRST_BACKOFF_MS = 10;
const LAST_BACKOFF_MS = 500;
/** Longest wait for the reply to an idempotent request, ms; after it the server counts as dead. */
const ATTEMPT_MS = 1000;
const DEFAULT_TIMEOUT_MS = 5000;

/**
 * A client that outlives its server. It reopens a lost connection with exponential back-off and jitter, so that not all
 * clients return at the same time. It repeats only requests that the caller marked as idempotent.
 */
export class ReconnectingRpc {
  connections = 0;
  failedAttempts = 0;
  readonly #open: () => Promise<RpcClient>;
  #client: RpcClient | undefined;
  #closed = false;

  /** @param open makes a new connection; it rejects while there is no server */
  constructor(open: () => Promise<RpcClient>) {
    this.#open = open;
  }

  /** @throws IpcError as `RpcClient.request`; IPC_TIMEOUT if no server came back in time, IPC_CLOSED after `close` */
  async request(body: Uint8Array, options: RequestOptions & { readonly idempotent: boolean }): Promise<Uint8Array> {
    const { idempotent, timeoutMs = DEFAULT_TIMEOUT_MS, ...rest } = options;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const client = await this.#connected(deadline);
      const left = Math.max(1, deadline - performance.now());
      try {
        return await client.request(body, { ...rest, timeoutMs: idempotent ? Math.min(left, ATTEMPT_MS) : left });
      } catch (error) {
        if (!idempotent || !mayRepeat(error) || performance.now() >= deadline) throw error;
        this.#drop(client);
      }
    }
  }

  async #connected(deadline: number): Promise<RpcClient> {
    let backoffMs = FIRST_BACKOFF_MS;
    for (;;) {
      if (this.#closed) throw new IpcError("IPC_CLOSED", "rpc: the client was closed");
      if (this.#client !== undefined) return this.#client;
      try {
        const client = await this.#open();
        this.connections++;
        this.#client = client;
        // If the connection was lost before the request was sent, the request may use the next connection.
        void client.closed.then(() => this.#drop(client));
      } catch (error) {
        this.failedAttempts++;
        const left = deadline - performance.now();
        if (left <= 0) throw new IpcError("IPC_TIMEOUT", "rpc: no server came back in time", { cause: error });
        await delay(Math.min(left, backoffMs * (1 - Math.random() / 2)));
        backoffMs = Math.min(LAST_BACKOFF_MS, backoffMs * 2);
      }
    }
  }

  #drop(client: RpcClient): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    void client.connection.close(0).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client?.close();
  }
}

function mayRepeat(error: unknown): boolean {
  return isIpcError(error) && ["IPC_PEER_LOST", "IPC_CLOSED", "IPC_TIMEOUT"].includes(error.code);
}
