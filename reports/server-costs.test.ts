import { describe, expect, it } from "vitest";
import type { MeasuredRow } from "../harness/results/model.ts";
import { missingText } from "./missing.ts";
import { serverCosts } from "./server-costs.ts";

const MIB = 1024 * 1024;
const held = (processes: number, privateBytes: number) => ({
  ...{ processes, privateBytes },
  descriptors: 20 * processes,
  threads: 7 * processes,
});

function row(transport: string, model: string, more: object): MeasuredRow {
  const plain = {
    status: "measured",
    benchmark: model,
    clients: 10,
    trials: [],
    peer: { language: "node", version: "" },
  };
  return { ...plain, transport, model, ...more } as unknown as MeasuredRow;
}

const shared = { one: held(1, 14 * MIB), all: { ...held(1, 14 * MIB + 9 * 12 * 1024), descriptors: 29 } };
const children = { one: held(1, 12 * MIB), all: held(10, 120 * MIB) };
const started = { latencyNs: { p50: 103e6 }, trials: [{ status: "valid", latencyNs: { count: 1 } }] };

describe("the costs of servers", () => {
  it("are one line for each mechanism: from its start to the first reply, and its memory for each client", () => {
    const measurements = [
      row("unix", "cold-start", started),
      row("unix", "clients-memory", { serverMemory: shared }),
      row("unix", "ping-pong", started),
      row("stdio", "clients-memory", { serverMemory: children }),
    ];
    expect(serverCosts({ measurements })).toEqual([
      "unix: first reply 103 ms after the start (1 start); one server: 14 MiB + 12 KiB a client",
      "stdio: a process a client: 12 MiB, 7 threads",
    ]);
  });

  it("name descriptors and the number of clients in a table", () => {
    expect(missingText(row("unix", "clients-memory", { serverMemory: shared }))).toBe(
      "one server: 14 MiB with 1 client, and 12 KiB, 1 descriptor for each more (10 clients)",
    );
    expect(missingText(row("unix", "clients-memory", { serverMemory: shared, clients: 1 }))).not.toMatch(
      /NaN|Infinity/,
    );
    expect(missingText(row("stdio", "clients-memory", { serverMemory: children }))).toBe(
      "a process for each client: 12 MiB, 20 descriptors, 7 threads each (of 10 clients)",
    );
  });
});
