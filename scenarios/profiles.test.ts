import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { combineNeeds, parseNeed } from "../harness/cli/parse-needs.ts";
import { profileDefect } from "../harness/cli/profiles.ts";
import { CHECKS } from "../harness/driver/checks/catalog.ts";
import { REGISTRY } from "../transports/registry.ts";
import { valueText } from "./need.ts";
import { NEEDS } from "./needs/index.ts";
import { PROFILES } from "./profiles/index.ts";
import { qualify } from "./qualify.ts";

const subjects = (await Promise.all(REGISTRY.map((entry) => entry.load()))).filter(
  ({ capabilities }) => capabilities.rendezvous !== "process",
);
const document = readFileSync(new URL("./README.md", import.meta.url), "utf8");

describe.each(PROFILES)("the profile $name", (profile) => {
  test("has the fields of a profile, needs that do not contradict, and checks that exist", () => {
    expect(profileDefect(profile)).toBeUndefined();
    const requirements = combineNeeds([], { name: profile.name, needs: profile.needs.map(parseNeed) });
    expect(requirements).toHaveLength(profile.needs.length);
    const known = CHECKS.map(({ id }) => id);
    expect(profile.checks.filter((id) => !known.some((each) => each === id || each.startsWith(`${id}/`)))).toEqual([]);
  });

  test("is met on paper by a transport of Linux whose server can be in its language", () => {
    const found = qualify(subjects, profile.needs.map(parseNeed)).candidates;
    const { peer = "node" } = profile.workload;
    const here = found.filter(
      ({ capabilities, peers = {} }) => capabilities.platforms.includes("linux") && (peer === "node" || peer in peers),
    );
    // Nothing but a file drop keeps messages for a server that is not there.
    expect(here.length, here.map(({ id }) => id).join()).toBeGreaterThanOrEqual(profile.name === "auditable" ? 2 : 3);
  });
});

test("profiles have names of their own, and a flag goes before the value of a profile", () => {
  expect(new Set(PROFILES.map(({ name }) => name)).size).toBe(PROFILES.length);
  const needs = ["clients=64", "ordered"].map(parseNeed);
  const combined = combineNeeds([parseNeed("clients=8")], { name: "x", needs });
  expect(combined.map(({ need, value }) => [need.name, value])).toEqual([
    ["clients", 8],
    ["ordered", 0],
  ]);
});

test("README.md has the needs and the profiles, each with its own words", () => {
  const code = (texts: readonly string[]): string => texts.map((text) => `\`${text}\``).join(", ") || "–";
  const needs = NEEDS.map(({ name, kind, standard, sentence, why, checks }) => {
    const typed = kind === "none" ? name : `${name}=${valueText(kind, standard)}`;
    return `| \`${typed}\` | ${sentence(standard)} | ${why} | ${code(checks)} |`;
  });
  const profiles = PROFILES.map(
    ({ name, needs, checks, why }) => `| \`${name}\` | ${code(needs)} | ${code(checks)} | ${why} |`,
  );
  const rows = (section: string): string[] =>
    (document.split(`\n### ${section}\n`)[1] ?? "")
      .split(/\n##+ /)[0]
      ?.split("\n")
      .filter((line) => line.startsWith("| `")) ?? [];
  expect(rows("Needs")).toEqual(needs);
  expect(rows("Profiles")).toEqual(profiles);
});
