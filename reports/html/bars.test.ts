import { expect, test } from "vitest";
import type { Pick } from "../../harness/results/model.ts";
import { fullReport } from "../testing/fixture-machine.ts";
import { fixturePick } from "../testing/fixture-verdicts.ts";
import { bars } from "./sections/bars.ts";

const report = fullReport();
const pick = fixturePick() as Pick;

/** Returns each bar as its class, its text, and the places that it draws. */
function drawn(of: Pick): { kind: string; text: string; svg: string }[] {
  return [...markup(of).matchAll(/<li class="([\w-]+)">([\s\S]*?)<\/li>/g)].map(([, kind = "", body = ""]) => ({
    kind,
    text: body
      .replace(/<svg[\s\S]*<\/svg>/, " ")
      .replace(/<[^>]*>/g, "")
      .replace(/\s+/g, " "),
    svg: /<svg[\s\S]*<\/svg>/.exec(body)?.[0] ?? "",
  }));
}

function markup(of: Pick): string {
  const found = bars(report, of);
  return found === "" ? "" : found.text;
}

test("each bar has the outline and the word of its standing, and its figure with the interval", () => {
  expect(drawn({ ...pick, verdict: "tie" }).map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
    "pick: unix 1.00× ▶ pick",
    "tie: fifo 1.01× (0.970–1.44) = tie",
    "tie: stdio 1.02× (0.990–1.05) = tie",
    "behind: tcp 1.36× (1.33–1.41) behind",
  ]);
});

test("a bar begins at 0, plain C is a mark, and what is beyond the axis is cut off with an arrow", () => {
  const far = { transport: "far", mode: "event", ratio: 40, interval: [30, 50] } as const;
  const found = drawn({ ...pick, ranking: [...pick.ranking, far] });
  const [first, last] = [found[0], found.at(-1)];
  const widthOf = (svg = ""): number => Number(/<rect class="amount" x="0" [^>]*width="([\d.]+)%"/.exec(svg)?.[1]);
  expect(widthOf(first?.svg)).toBeCloseTo(100 / 5.15, 1);
  expect(first?.svg).toContain('class="plain-c"');
  expect(first?.svg).not.toContain('class="arrow"');
  expect(widthOf(last?.svg)).toBe(100);
  expect(last?.svg).toContain('class="arrow"');
  expect(last?.text).toContain("40.0× (30.0–50.0)");
});

test("more than ten candidates are folded and counted, but never the pick", () => {
  const many = Array.from(
    { length: 14 },
    (_, at) => ({ transport: `t${at}`, mode: "event", ratio: 1, interval: null }) as const,
  );
  const of: Pick = { ...pick, transport: "t12", verdict: "immaterial", ties: [], ranking: many };
  const [open = "", folded = ""] = markup(of).split("<summary>3 more candidates</summary>");
  expect(open.match(/<li /g)).toHaveLength(11);
  expect(open).toContain("▶ pick");
  expect(folded.match(/<li /g)).toHaveLength(3);
});

test("nothing is drawn without a ranking", () => {
  expect(bars(report, { ...pick, ranking: [] })).toBe("");
});
