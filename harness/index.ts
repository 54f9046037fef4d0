/**
 * Exports of the package `ipcmark`: the contract for transports of your own, and the types of the configuration file
 * and of a profile. Everything else is a command.
 */

export type { Profile } from "../scenarios/profile.ts";
export type * from "../transports/contract/capabilities.ts";
export { UNBOUNDED_MESSAGE_BYTES } from "../transports/contract/capabilities.ts";
export * from "../transports/contract/errors.ts";
export type * from "../transports/contract/transport.ts";
export {
  loopbackPort,
  type PathAddress,
  type PortAddress,
  type ServerAddress,
  type ServerPlace,
  socketPath,
} from "../transports/existing-server/address.ts";
export {
  type ExistingServer,
  existingServer,
  type ServerClient,
} from "../transports/existing-server/existing-server.ts";
export type * from "./config.ts";
export { defineConfig } from "./config.ts";
