import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REGISTRY } from "../../transports/registry.ts";
import { ProcessSupervisor } from "../coordinator/process-supervisor.ts";
import { silent } from "../coordinator/progress.ts";
import { runChecks } from "../coordinator/run-checks.ts";
import { CHECKS } from "../driver/checks/catalog.ts";
import { loadTransport } from "../process/load-transport.ts";
import { createPlace, removePlace } from "../process/place.ts";
import { cacheDirectory, refusedDirectories } from "../process/private-directory.ts";
import { type Bundle, openBundle, sourcesOf } from "./bundle.ts";
import { keyOf, MANIFEST, type Manifest, readInput, stillValid } from "./manifest.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const CACHES = join(ROOT, "node_modules", ".cache");

/** Directory of an installed package, where all tests may write and nobody else can. */
let root: string;
beforeAll(() => {
  mkdirSync(CACHES, { recursive: true });
  root = mkdtempSync(join(CACHES, "ipcmark-bundle-test-"));
  mkdirSync(join(root, "node_modules"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Environment of a user without caches of their own, so that the package's directory is the only one. */
const nowhere = { XDG_CACHE_HOME: join(ROOT, "node_modules", "no", "caches") };
/** False where all users may write: nothing is kept there, so nothing of this can be tried. */
const isPrivate = process.getuid !== undefined && typeof cacheDirectory(ROOT, nowhere, true) === "string";

describe.runIf(isPrivate)("the directory of the bundles", () => {
  const directory = (): string => join(root, "node_modules", ".cache", "ipcmark");
  const found = (): unknown => cacheDirectory(root, nowhere, true);

  it("is made for this user alone", () => {
    expect(cacheDirectory(root, nowhere, false)).toMatchObject({ reason: expect.stringContaining("not been made") });
    expect(found()).toBe(directory());
    expect(statSync(directory()).mode & 0o777).toBe(0o700);
  });

  it("is the user's own where there are no packages to lie beside", () => {
    const home = join(root, "home");
    mkdirSync(join(home, "caches"), { recursive: true });
    expect(cacheDirectory(home, { XDG_CACHE_HOME: join(home, "caches") }, true)).toBe(join(home, "caches", "ipcmark"));
  });

  it("is refused when others may enter it, when it is a link, and when it belongs to somebody else", () => {
    chmodSync(directory(), 0o750);
    expect(found()).toMatchObject({
      reason: expect.stringContaining("open to other users"),
      fix: `rm -r ${directory()}`,
    });
    expect(refusedDirectories(root, nowhere)).toHaveLength(1);
    rmSync(directory(), { recursive: true });
    symlinkSync(root, directory());
    expect(found()).toMatchObject({ reason: expect.stringContaining("no directory") });
    rmSync(directory());
    if (process.getuid?.() !== 0) return;
    mkdirSync(directory(), { mode: 0o700 });
    chownSync(directory(), 1, 1);
    expect(found()).toMatchObject({ reason: expect.stringContaining("another user") });
    rmSync(directory(), { recursive: true });
  });

  it("is never below the temporary directory", () => {
    const temporary = mkdtempSync(join(tmpdir(), "ipcmark-test-"));
    mkdirSync(join(temporary, "node_modules"));
    expect(cacheDirectory(temporary, { XDG_CACHE_HOME: temporary }, true)).toHaveProperty("reason");
    rmSync(temporary, { recursive: true });
  });
});

describe("the list of a bundle's inputs", () => {
  const versions = { root: "", node: "v1", esbuild: "1", package: "1" };

  it("holds as long as the content does, however often the files are written", () => {
    const of = { ...versions, root: mkdtempSync(join(tmpdir(), "ipcmark-test-")) };
    const file = join(of.root, "a.ts");
    writeFileSync(file, "1");
    const inputs = [readInput(of.root, "a.ts"), readInput(of.root, "absent.ts")];
    const manifest: Manifest = { ...of, inputs, files: {} };
    expect(stillValid(manifest, of)).toEqual(inputs);
    rmSync(file);
    writeFileSync(file, "1");
    expect(stillValid(manifest, of)?.map(({ hash }) => hash)).toEqual(inputs.map(({ hash }) => hash));
    writeFileSync(file, "2");
    expect(stillValid(manifest, of)).toBeUndefined();
    writeFileSync(file, "1");
    writeFileSync(join(of.root, "absent.ts"), "");
    expect(stillValid(manifest, of)).toBeUndefined();
    rmSync(of.root, { recursive: true });
  });

  it("holds for these versions alone, and its key depends on them", () => {
    const manifest: Manifest = { ...versions, inputs: [], files: {} };
    for (const name of ["root", "node", "esbuild", "package"] as const) {
      const other = { ...versions, [name]: "2" };
      expect(stillValid(manifest, other)).toBeUndefined();
      expect(keyOf(other, [])).not.toBe(keyOf(versions, []));
    }
    expect(keyOf(versions, [{ path: "a", hash: "b", stamp: "" }])).not.toBe(keyOf(versions, []));
  });
});

const SERVED = ["conformance/exchange/across-processes", "conformance/blocking/server"];
const WHOLE = process.env["IPCMARK_TEST_ALL"] === "1";

describe.runIf(isPrivate && existsSync(join(ROOT, "node_modules", "esbuild")))("a bundle", () => {
  const open = (builds = true): ReturnType<typeof openBundle> =>
    openBundle({ env: nowhere, of: { root, code: ROOT }, builds });
  let bundle: Bundle;
  beforeAll(async () => {
    const opened = await open();
    if ("reason" in opened) throw new Error(opened.reason);
    bundle = opened;
  });

  it("is made once", async () => {
    expect(await open(false)).toEqual(bundle);
    expect(await openBundle({ env: { IPCMARK_BUNDLE: "off" } })).toHaveProperty("reason");
  });

  it("lists what it was made of", () => {
    const loaded = [join(bundle.directory, "driver-main.mjs"), "/elsewhere.js"];
    expect(sourcesOf(bundle, loaded)).toEqual(
      expect.arrayContaining([expect.stringMatching(/harness\/driver\/main\.ts$/), "/elsewhere.js"]),
    );
    const all = new Set(Object.values(bundle.manifest.files).flat());
    for (const { path, hash } of bundle.manifest.inputs) {
      if (
        hash !== null &&
        path.endsWith(".ts") &&
        !path.includes("harness/bundle/") &&
        /export (class|function)/.test(readFileSync(join(root, path), "utf8"))
      )
        expect([...all], path).toContain(path);
    }
  });

  it("is not run when others may write to one of its files", async () => {
    const file = join(bundle.directory, MANIFEST);
    for (const path of [join(bundle.directory, "peer-main.mjs"), file]) {
      chmodSync(path, 0o622);
      expect(await open()).toMatchObject({ reason: expect.stringContaining(path), fix: `rm -r ${dirname(path)}` });
      chmodSync(path, 0o600);
    }
    expect(await open()).toHaveProperty("directory");
  });

  it(`serves ${WHOLE ? "every transport as the source does" : "a blocking face and an event loop"}`, {
    timeout: 600_000,
  }, async () => {
    const ids = WHOLE ? REGISTRY.map(({ id }) => id) : ["unix"];
    const checks = CHECKS.filter(({ id, quick }) => (WHOLE ? quick : SERVED.includes(id)));
    const fromBundle = await outcomes(ids, checks, bundle);
    if (WHOLE) expect(fromBundle).toEqual(await outcomes(ids, checks));
    else expect(fromBundle.filter((outcome) => !outcome.endsWith("passed"))).toEqual([]);
    // They did run from it: without its peer nobody answers.
    writeFileSync(join(bundle.directory, "peer-main.mjs"), "process.exit(3);");
    const without = await outcomes(
      ["unix"],
      CHECKS.filter(({ id }) => id === SERVED[0]),
      bundle,
    );
    expect(without).toEqual([`unix ${SERVED[0]} failed`]);
  });
});

/** Returns the verdict of each check on each of these transports. */
async function outcomes(ids: readonly string[], checks: typeof CHECKS, bundle?: Bundle): Promise<string[]> {
  const place = await createPlace();
  const supervisor = new ProcessSupervisor(place, [], bundle);
  try {
    const targets = [];
    for (const id of ids) {
      const reference = { id, module: null };
      const transport = await loadTransport(reference);
      if ((await transport.probe()).available) targets.push({ transport, reference, peerLanguage: "node" });
    }
    const results = await runChecks(supervisor, place, targets, checks, silent);
    return results.map(({ transport, scenario, status }) => `${transport} ${scenario} ${status}`).sort();
  } finally {
    await supervisor.end();
    await removePlace(place);
  }
}
