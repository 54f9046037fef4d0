import { Command } from "commander";
import { describe, expect, it, test } from "vitest";
import { cellsOfClaim, checksOfClaim } from "../../scenarios/claim.ts";
import { CLAIMS } from "../../scenarios/claims/index.ts";
import { cellsOf } from "../coordinator/arm.ts";
import type { Report } from "../results/model.ts";
import { planClaims } from "./claim-plan.ts";
import { claimsExitCode } from "./claims.ts";
import { chooseClaims, claimsOption } from "./claims-option.ts";
import { compareCommand } from "./compare.ts";

/** Parses flags as `compare` does, and runs nothing. */
function parse(...flags: readonly string[]): unknown {
  const quiet = { writeErr: () => {} };
  const command = new Command().addCommand(
    compareCommand()
      .action(() => {})
      .exitOverride()
      .configureOutput(quiet),
  );
  command
    .exitOverride()
    .configureOutput(quiet)
    .parse(["node", "ipcmark", "compare", ...flags]);
  return command.commands[0]?.opts()["claims"];
}

describe("--claims", () => {
  it("takes ids, or none for all", () => {
    expect(chooseClaims(parse("--claims") as string[])).toEqual(CLAIMS);
    expect(chooseClaims(parse("--claims", "grpc-heavy,length-prefix") as string[]).map(({ id }) => id)).toEqual([
      "grpc-heavy",
      "length-prefix",
    ]);
    expect(claimsOption("x").description).toContain("(without ids: all claims)");
  });

  it("names the nearest id of a mistyped one, and every flag that it cannot be used with", () => {
    expect(() => parse("--claims", "grpc-heavi")).toThrow(/unknown claim "grpc-heavi" \(did you mean grpc-heavy\?\)/);
    for (const flag of ["--transport unix", "--need windows", "--payload 64", "--codec json", "--placement same-cpu"])
      expect(() => parse("--claims", ...flag.split(" ")), flag).toThrow(/'--claims .*' cannot be used with/);
  });

  it("ends with 22 where a claim was not examined", () => {
    const report = { checks: [], measurements: [], transports: [], environment: {}, claims: ["length-prefix"] };
    expect(claimsExitCode(report as unknown as Report)).toBe(22);
    expect(claimsExitCode({ ...report, claims: [] } as unknown as Report)).toBe(0);
  });
});

test("a plan has each cell of all claims once, and each check for the mechanisms that claims name", async () => {
  const { candidates, arms, cells, missing, targets, checks, unchecked } = await planClaims(CLAIMS, "unpinned");
  const planned = [
    ...arms.flatMap((arm) =>
      cellsOf(arm, cells).map(({ benchmark, payloadBytes, variant }) =>
        [
          arm.transport.id,
          arm.mode,
          arm.peerLanguage,
          benchmark.name,
          variant.corpus ?? payloadBytes,
          arm.codec,
        ].join(),
      ),
    ),
    ...missing.map((row) =>
      [row.transport, row.mode, row.peer.language, row.benchmark, row.payloadBytes, undefined].join(),
    ),
  ];
  const available = new Set(candidates.filter(({ record }) => record.available).map(({ record }) => record.id));
  const wanted = CLAIMS.flatMap(cellsOfClaim)
    .filter(({ transport }) => available.has(transport))
    .map(({ transport, mode, peer, benchmark, corpus, payloadBytes, codec }) =>
      [transport, mode, peer, benchmark, corpus ?? payloadBytes, codec].join(),
    );
  expect(new Set(planned)).toEqual(new Set(wanted));
  for (const { transport, peer, check } of CLAIMS.flatMap(checksOfClaim)) {
    const target = targets.find((each) => each.transport.id === transport && each.peerLanguage === peer);
    const isPlanned = target?.spared?.has(check) === false && checks.some(({ id }) => id === check);
    expect(isPlanned || unchecked.some((row) => row.transport === transport && row.scenario === check)).toBe(true);
  }
});
