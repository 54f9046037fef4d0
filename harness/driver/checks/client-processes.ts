import type { ClientResult } from "../../../scenarios/check.ts";
import type { Transport } from "../../../transports/contract/transport.ts";
import type { DriverProcess } from "../../process/driver-process.ts";
import { rejection } from "../../process/failure.ts";
import type { ClientConnected, ClientWork, Failed, FromDriver, ToDriver } from "../../process/messages.ts";
import { runCheckClient } from "../check-client.ts";
import type { LaunchedProcess } from "../peers/launched-process.ts";

const CLIENT_PROCESS_TIMEOUT_MS = 60_000;

/** Driver process that a check has started, by itself or through its transport. */
export type OwnProcess = DriverProcess | LaunchedProcess<ToDriver, FromDriver>;

/** Process that sends a load, with its three steps. */
export interface LoadClient {
  connected(): Promise<ClientConnected>;
  begin(): void;
  result(): Promise<ClientResult>;
}

/** Does the work of a client process in this one. */
export function loadFromHere(transport: Transport, work: ClientWork): LoadClient {
  const connected = Promise.withResolvers<ClientConnected>();
  const begun = Promise.withResolvers<void>();
  const said = Promise.withResolvers<ClientResult>();
  const hear = (message: FromDriver): void => {
    if (message.type === "connected") connected.resolve(message);
    else if (message.type === "client") said.resolve(resultIn(message));
  };
  runCheckClient(transport, work, hear, () => begun.promise).catch((error: unknown) => {
    connected.reject(error);
    said.reject(error);
  });
  // A failure rejects both promises, also the one that nobody waits for yet.
  for (const each of [connected, said]) each.promise.catch(() => {});
  return { connected: () => connected.promise, begin: begun.resolve, result: () => said.promise };
}

/** Returns what a client process reports at its end. */
export function resultIn({ type: _type, ...result }: Extract<FromDriver, { type: "client" }>): ClientResult {
  return result;
}

/** Waits for a message of a process. @throws Error if the process has failed */
export async function answerOf<Type extends "connected" | "client" | "sender-ready" | "sender-done">(
  child: OwnProcess,
  type: Type,
): Promise<Extract<FromDriver, { type: Type }>> {
  const message: FromDriver = await child.next<FromDriver["type"]>([type, "failed"], CLIENT_PROCESS_TIMEOUT_MS);
  if (message.type === "failed") {
    throw new Error(`a client process failed: ${message.message}`, { cause: rejection("client", message as Failed) });
  }
  return message as Extract<FromDriver, { type: Type }>;
}
