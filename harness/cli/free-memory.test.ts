import { describe, expect, it } from "vitest";
import { clientsMemory } from "../../scenarios/benchmarks/clients-memory.ts";
import { idle } from "../../scenarios/benchmarks/idle.ts";
import { stdio } from "../../transports/pipes/stdio.ts";
import { unix } from "../../transports/sockets/unix.ts";
import { type Arm, placeArm } from "../coordinator/arm.ts";
import { MachineError } from "../process/machine-error.ts";
import { refuseWithoutMemory } from "./free-memory.ts";

const MIB = 1024 * 1024;

function armOf(transport: typeof unix): Arm {
  const reference = { id: transport.id, module: null };
  const placed = placeArm({
    transport,
    reference,
    version: "",
    mode: "event",
    placement: "unpinned",
    peerLanguage: "node",
  });
  if ("reason" in placed) throw new Error(placed.reason);
  return placed.arm;
}

describe("100 clients", () => {
  const cells = clientsMemory.variants.map((variant) => ({ benchmark: clientsMemory, variant, payloadBytes: 64 }));

  it("are refused in one sentence where the free memory holds a shared server and no 100 children", () => {
    refuseWithoutMemory([armOf(unix)], cells, 1000 * MIB);
    const refused = () => refuseWithoutMemory([armOf(unix), armOf(stdio)], cells, 1000 * MIB);
    expect(refused).toThrow(MachineError);
    expect(refused).toThrow(
      /^clients-memory needs up to 2\.34 GiB for 100 clients of stdio .*; 1000 MiB are free: end/,
    );
    expect(() => refuseWithoutMemory([armOf(unix)], cells, 50 * MIB)).toThrow(/of unix \(one server\)/);
  });

  it("are no obstacle to other benchmarks", () => {
    refuseWithoutMemory([armOf(stdio)], [{ benchmark: idle, variant: {}, payloadBytes: 64 }], 0);
  });
});
