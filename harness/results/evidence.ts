import type { Evidence, Verdict } from "../../scenarios/evidence.ts";
import type { CheckResult, CheckStatus, Report } from "./model.ts";

/** Statuses from the strongest evidence to the weakest: a failure first, a check that did not apply last. */
const PRECEDENCE: readonly CheckStatus[] = ["failed", "unavailable", "not-examined", "passed", "not-applicable"];

/** Returns the checks as needs read them. Transports that are the same on this platform share their results. */
export function evidenceOf({ checks, transports }: Pick<Report, "checks" | "transports">): Evidence {
  const resultsOf = (transport: string, check: string): CheckResult[] => {
    const ids = sameOnThisPlatform(transports, transport);
    return checks.filter((each) => each.scenario === check && ids.includes(each.transport));
  };
  return {
    verdict(transport, check): Verdict {
      const results = resultsOf(transport, check);
      for (const status of PRECEDENCE) {
        const found = results.find((each) => each.status === status);
        if (found === undefined) continue;
        return status === "passed" || status === "not-examined"
          ? { status }
          : { status, reason: found.reason ?? "no reason recorded" };
      }
      return { status: "not-examined" };
    },
    figure(transport, check, note) {
      const noted = resultsOf(transport, check).flatMap(({ notes }) => {
        const value = notes[note];
        return typeof value === "number" ? [value] : [];
      });
      // Where there are servers in several languages, the need concerns all of them together.
      return noted.length === 0 ? undefined : { value: Math.max(...noted) };
    },
  };
}

/** Returns ids of the transport and of those that are the same code on the platform of the report. */
export function sameOnThisPlatform(transports: Report["transports"], id: string): readonly string[] {
  const original = transports.find((record) => record.id === id)?.sameAs ?? id;
  return [...new Set([id, original, ...transports.flatMap((each) => (each.sameAs === original ? [each.id] : []))])];
}
