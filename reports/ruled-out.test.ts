import { expect, test } from "vitest";
import type { CandidateStanding, TransportRecord } from "../harness/results/model.ts";
import { ruledOutByNeeds } from "./ruled-out.ts";

test("needs stand with what they left out, the one that left out most first, without what was checked", () => {
  const out = (transport: string, need: string): CandidateStanding => ({
    transport,
    status: "excluded",
    need,
    reason: "",
  });
  const candidates = [
    out("tcp", "permissions"),
    out("fifo", "windows"),
    out("unix", "windows"),
    out("stdio", "one-way"),
  ];
  expect(ruledOutByNeeds({ candidates, transports: [{ id: "stdio" } as TransportRecord] })).toEqual([
    "ruled out by windows: fifo, unix",
    "ruled out by permissions: tcp",
  ]);
  expect(ruledOutByNeeds({ transports: [] })).toEqual([]);
});
