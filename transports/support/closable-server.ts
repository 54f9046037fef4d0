import type { Address, Server } from "../contract/transport.ts";

/** Makes a {@link Server} whose `close` runs only once, however often it is called. */
export function closableServer(address: Address, close: () => Promise<void>): Server {
  let closing: Promise<void> | undefined;
  const closeOnce = (): Promise<void> => {
    closing ??= close();
    return closing;
  };
  return { address, close: closeOnce, [Symbol.asyncDispose]: closeOnce };
}
