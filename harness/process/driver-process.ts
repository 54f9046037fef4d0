import { Child, type ChildOptions } from "./child.ts";
import { driverDefect } from "./message-rules.ts";
import type { FromDriver, ToDriver } from "./messages.ts";
import { nodeCommand } from "./node-command.ts";

/** Process of a driver, client, subscriber or attempt of another user; `start.work` selects what it does. */
export type DriverProcess = Child<ToDriver, FromDriver>;

/** @throws Error when the command cannot be started */
export function startDriver(
  name: string,
  command: readonly string[] = nodeCommand("driver/main"),
  options: Pick<ChildOptions, "env" | "owns"> = {},
): Promise<DriverProcess> {
  return Child.start(name, command, { ...options, control: "descriptor", defectOf: driverDefect });
}
