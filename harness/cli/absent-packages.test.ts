import { expect, it } from "vitest";
import { listTable } from "../../reports/terminal/index.ts";
import { shmFutex } from "../../transports/shared-memory/shared-memory.ts";
import { unix } from "../../transports/sockets/unix.ts";
import { describeTransport } from "../process/transport-rules.ts";
import { withAbsentPackages } from "./absent-packages.ts";

const here = { available: false, reason: "koffi: Cannot find module" } as const;
const native = describeTransport(shmFutex);

it("mechanisms that lack optional packages have one reason, with the command that installs all of them", () => {
  const found = withAbsentPackages(native, here, ["koffi", "esbuild"]);
  expect(found).toEqual({
    available: false,
    reason: "optional packages are not installed (koffi, esbuild): run npm install --include=optional",
  });
  expect(withAbsentPackages(native, here, ["esbuild"])).toBe(here);
  expect(withAbsentPackages(describeTransport(unix), here, ["koffi"])).toBe(here);
});

it("a reason that several rows of the list share stands once below it, in one line", () => {
  const row = (id: string, reason: string) =>
    ({ id, family: "a", capabilities: native.capabilities, baseline: false, available: false, reason }) as const;
  const reason = "optional packages are not installed (koffi, zeromq): run npm install --include=optional";
  const lines = listTable([row("a", reason), row("b", "no such thing"), row("c", reason)]).split("\n");
  expect(lines.filter((line) => /unavailable \(1\)/.test(line))).toHaveLength(2);
  expect(lines.join(" ")).toContain("no such thing");
  expect(lines.at(-1)).toBe(`(1) ${reason}`);
});
