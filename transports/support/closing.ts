/** End of a connection, or server, that closes only once: later calls of `close` return the promise of the first. */
export abstract class ClosesOnce {
  #closing: Promise<void> | undefined;

  protected abstract closeOnce(timeoutMs: number): Promise<void>;

  /** True once `close` has been called. */
  protected get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  close(timeoutMs = 5000): Promise<void> {
    this.#closing ??= this.closeOnce(timeoutMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
