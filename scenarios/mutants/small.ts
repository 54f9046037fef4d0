import { IpcError } from "../../transports/contract/errors.ts";
import type { Transport } from "../../transports/contract/transport.ts";
import { unix } from "../../transports/sockets/unix.ts";
import { type Tap, withFault } from "./tapped.ts";

/**
 * Transports with small messages: `unix` with a lower limit. They are correct, so a check that fails is itself wrong:
 * it sends more than the claimed size.
 */
function small(maxMessageBytes: number): Transport {
  const bounded = (): Tap => ({
    send(message, send) {
      if (message.length <= maxMessageBytes) return send(message);
      throw new IpcError("IPC_TOO_LARGE", `small: ${message.length} bytes exceed ${maxMessageBytes}`);
    },
  });
  return withFault(unix, `small/${maxMessageBytes}`, {
    about: `carries messages of up to ${maxMessageBytes} bytes`,
    capabilities: { maxMessageBytes },
    client: bounded,
    server: bounded,
  });
}

const transports: readonly Transport[] = [small(256), small(64)];
export default transports;
