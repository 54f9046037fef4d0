import type { Transport } from "../../transports/contract/transport.ts";
import type { FromDriver, UserAttempt } from "../process/messages.ts";
import { connectRpc } from "../rpc/connect.ts";
import { withEventFace } from "./checks/event-face.ts";

const REQUEST_TIMEOUT_MS = 1000;

/**
 * One attempt to be served by a server of somebody else's. All code and the library are loaded, and said to work, before it
 * begins: what fails afterwards is the connection and not the program.
 */
export async function connectAsUser(
  plain: Transport,
  address: UserAttempt["address"],
  send: (message: FromDriver) => void,
  mayBegin: () => Promise<unknown>,
): Promise<void> {
  const transport = await withEventFace(plain);
  const probed = await plain.probe();
  send({
    type: "user-ready",
    uid: process.getuid?.() ?? -1,
    hindrance: probed.available ? null : `the mechanism does not work for this user: ${probed.reason}`,
  });
  await mayBegin();
  try {
    const client = await connectRpc(transport, address);
    // Where connecting promises nothing, being served is what counts.
    if (transport.capabilities.connects === "lazy") {
      await client.request(new Uint8Array(16), { timeoutMs: REQUEST_TIMEOUT_MS });
    }
    send({ type: "user-attempt", connected: true });
    await client.connection.close(REQUEST_TIMEOUT_MS).catch(() => undefined);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? `${error.code}: ` : "";
    const refusal = `${code}${error instanceof Error ? error.message : String(error)}`;
    send({ type: "user-attempt", connected: false, refusal });
  }
}
