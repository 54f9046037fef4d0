/**
 * What the package `ipcmark` exports: the contract a transport of your own implements, and the types of the configuration file and of a profile.
 * Everything else is a command.
 */

export type { Profile } from "../scenarios/profile.ts";
export type * from "../transports/contract/capabilities.ts";
export { UNBOUNDED_MESSAGE_BYTES } from "../transports/contract/capabilities.ts";
export * from "../transports/contract/errors.ts";
export type * from "../transports/contract/transport.ts";
export type * from "./config.ts";
export { defineConfig } from "./config.ts";
