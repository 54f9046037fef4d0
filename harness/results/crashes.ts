import type { Crash, Warning } from "./model.ts";

/** Returns a warning for each kind of process of each mechanism that crashed. */
export function crashWarnings(crashes: readonly Crash[]): Warning[] {
  const alike = Map.groupBy(crashes, ({ transport, process, signal }) => `${transport} ${process} ${signal}`);
  return [...alike.values()].flatMap(([crash, ...more]) =>
    crash === undefined ? [] : [warning(crash, 1 + more.length)],
  );
}

function warning({ transport, process, signal, binding }: Crash, count: number): Warning {
  const times = count === 1 ? "" : ` ${count} times`;
  const text =
    `${transport}: the ${process} process was ended by ${signal}${times} (binding to the C library: ${binding}); ` +
    "none of its figures is valid; run it alone to see whether this happens again";
  return { id: "crash", text, where: { transport, process } };
}

/** Returns the reason why a mechanism with a crashed process cannot be chosen; undefined when none crashed. */
export function crashReason(crashes: readonly Crash[], transport: string): string | undefined {
  const crash = crashes.find((each) => each.transport === transport);
  return (
    crash && `its ${crash.process} process was ended by ${crash.signal} (binding to the C library: ${crash.binding})`
  );
}
