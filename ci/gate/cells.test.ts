import { expect, it } from "vitest";
import { workload } from "../../scenarios/benchmarks/workload.ts";
import { isMeant, nameOf, sizeOf, type TransportCell } from "./cells.ts";
import { hasPlainC } from "./plain-c.ts";

const made: TransportCell = { transport: "unix", mode: "event", placement: "same-cpu", payloadBytes: 64 };
const replayed: TransportCell = { ...made, recorded: "calls.ndjson" };

it("names a cell by its size, and one of recorded messages by their file", () => {
  expect(nameOf(made)).toBe("unix (event, same-cpu) 64 B");
  expect(nameOf(replayed)).toBe("unix (event, same-cpu) calls.ndjson");
  expect([isMeant("unix calls.ndjson", replayed), isMeant("unix calls.ndjson", made)]).toEqual([true, false]);
});

it("compares recorded messages with no plain C, which sends messages of one size", () => {
  expect([hasPlainC(made), hasPlainC(replayed)]).toEqual([true, false]);
});

it("takes the name of the messages from the cell that is measured", () => {
  const recorded = { name: "calls.ndjson", sha256: "", count: 3, meanBytes: 64, largestBytes: 90, hasResponses: false };
  expect(sizeOf({ benchmark: workload, variant: { recorded }, payloadBytes: 64 })).toEqual({
    payloadBytes: 64,
    recorded: "calls.ndjson",
  });
});
