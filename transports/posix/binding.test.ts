import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

const INDEX = join(import.meta.dirname, "index.ts");

function availability(override: string): unknown {
  const script = `import { posixAvailability } from ${JSON.stringify(INDEX)}; console.log(JSON.stringify(posixAvailability()));`;
  const text = execFileSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script],
    {
      encoding: "utf8",
      env: { ...process.env, IPCMARK_FFI: override },
    },
  );
  return JSON.parse(text);
}

it("IPCMARK_FFI with an unknown name makes the wrapper unavailable and says which names there are", () => {
  if (process.platform !== "linux") return;
  expect(availability("koffi")).toEqual({
    available: false,
    reason: expect.stringMatching(/IPCMARK_FFI=koffi.*ffi-rs or node/),
  });
});

it("node:ffi is chosen by itself where the runtime has it", () => {
  if (process.platform !== "linux") return;
  const builtIn = process.getBuiltinModule("node:ffi") !== undefined;
  expect(availability("")).toEqual({ available: true, version: builtIn ? "node:ffi" : "ffi-rs" });
});
