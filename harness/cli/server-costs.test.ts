import { describe, expect, it } from "vitest";
import { REGISTRY } from "../../transports/registry.ts";
import { type Arm, placeArm } from "../coordinator/arm.ts";
import type { Pick } from "../results/model.ts";
import type { MeasureOptions } from "./options.ts";
import { costlyArms, costsMs } from "./server-costs.ts";

async function armsOf(ids: readonly string[]): Promise<Arm[]> {
  const transports = await Promise.all(ids.map((id) => REGISTRY.find((entry) => entry.id === id)?.load()));
  return transports.flatMap((transport) => {
    if (transport === undefined) return [];
    const reference = { id: transport.id, module: null };
    const how = { mode: "event", placement: "unpinned", peerLanguage: "node" } as const;
    const placed = placeArm({ transport, reference, version: "", ...how });
    return "arm" in placed ? [placed.arm] : [];
  });
}

const pickOf = (transport: string, ranking: readonly string[]): Pick =>
  ({
    ...{ transport, mode: "event", placement: "unpinned", workload: {} },
    ranking: ranking.map((id) => ({ transport: id })),
  }) as unknown as Pick;

describe.skipIf(process.platform !== "linux")("the servers that a comparison starts once more", () => {
  const ids = ["fifo", "unix", "tcp", "stdio", "http/unix"];

  it("are the pick, the best of the other kind, and the fastest; all that fit where they were named", async () => {
    const arms = await armsOf(ids);
    const chosen = (options: object) =>
      costlyArms(options as MeasureOptions, pickOf("unix", ids), arms).map(({ transport }) => transport.id);
    expect(chosen({})).toEqual(["unix", "stdio", "fifo"]);
    expect(chosen({ transport: ids })).toEqual(["unix", "stdio", "fifo", "tcp"]);
    const shared = ids.filter((id) => id !== "stdio");
    const found = costlyArms({} as MeasureOptions, pickOf("unix", shared), arms);
    expect(found.map(({ transport }) => transport.id)).toEqual(["unix", "fifo"]);
  });

  it("are none where the user has set the length of the run, or nothing was picked", async () => {
    expect(costsMs({ budget: 20_000 } as MeasureOptions, await armsOf(ids))).toBe(0);
    expect(costlyArms({ trials: 6 } as MeasureOptions, pickOf("unix", ids), await armsOf(ids))).toEqual([]);
    expect(costlyArms({} as MeasureOptions, null, await armsOf(ids))).toEqual([]);
  });
});
