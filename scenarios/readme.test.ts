import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SCENARIOS } from "./checks/index.ts";

const document = readFileSync(new URL("./README.md", import.meta.url), "utf8");
const rows = document
  .split("\n")
  .map((line) => /^\|[^|]*\| `([\w/-]+)` \| ([^|]+) \|$/.exec(line))
  .flatMap((match) => (match === null ? [] : [{ id: match[1] as string, why: match[2] as string }]));

test("the checklist names every scenario exactly once, and none that does not exist", () => {
  expect(rows.map(({ id }) => id).sort()).toEqual(SCENARIOS.map(({ id }) => id).sort());
});

test("the checklist gives each scenario's own reason", () => {
  const documented = Object.fromEntries(rows.map(({ id, why }) => [id, why]));
  expect(documented).toEqual(Object.fromEntries(SCENARIOS.map(({ id, why }) => [id, why])));
});

test("ids are unique, and none is the beginning of a group's name and a check at once", () => {
  const ids = SCENARIOS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const groups = new Set(ids.filter((id) => id.includes("/")).map((id) => id.slice(0, id.indexOf("/"))));
  expect(ids.filter((id) => groups.has(id))).toEqual([]);
});

test("the titles of concurrent clients state in how many processes they are", () => {
  const titles = SCENARIOS.filter(({ id }) => id.startsWith("concurrent-clients/")).map(({ title }) => title);
  expect(titles.map((title) => title.split(",")[0])).toEqual([
    "1 client in another process is served at once",
    "8 clients in 2 processes are served at once",
    "64 clients in 4 processes are served at once",
  ]);
});
