import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Address, Place, Transport } from "../../transports/contract/transport.ts";
import { type Check, type CheckContext, unmetNeed } from "../check.ts";
import { CONFORMANCE } from "../conformance/index.ts";
import { patience } from "../kit/expect.ts";
import faulty, { FAULTS } from "./faulty.ts";

/**
 * Cases that object to each fault, of those that run within one process. Found by running all of them on each fault;
 * the test repeats the ones named here and the innocent ones below, so that it stays short.
 */
const OBJECTIONS: Readonly<Record<string, readonly string[]>> = {
  none: [],
  drop: ["exchange/every-message-once"],
  corrupt: ["exchange/every-message-once"],
  reorder: ["exchange/every-message-once"],
  duplicate: ["exchange/every-message-once"],
  truncate: ["exchange/boundaries"],
  "keeps-buffer": ["exchange/buffer-is-free"],
  "keeps-large-buffer": ["exchange/buffer-is-free"],
  "keeps-tiny-buffer": ["exchange/buffer-is-free"],
  "calls-inside-send": ["lifecycle/send-calls-nobody"],
  "never-full": ["backpressure/refuses-then-calls"],
  "ignores-pause": ["backpressure/pause"],
  "never-closes": ["lifecycle/open-first", "residue/private"],
  "closes-twice": ["lifecycle/open-first", "failure/client-loss"],
  "loses-the-end": ["lifecycle/close-is-idempotent", "lifecycle/server-close"],
  evicts: ["failure/address-in-use", "failure/file-in-the-way", "residue/refused-listen"],
  "open-to-all": ["residue/private"],
  "leaves-a-path": ["lifecycle/server-close"],
};

/** Cases that no fault above affects, unless it is named there. */
const INNOCENT = ["claims/consistent", "claims/allocate", "failure/nobody-listens", "residue/private"];

let place: Place;
const patienceBefore = patience.ms;
beforeAll(() => {
  patience.ms = 1500;
  place = {
    directory: mkdtempSync(join(tmpdir(), "ipcmark-faulty-")),
    prefix: `ipcmark-${randomBytes(8).toString("hex")}`,
  };
});
afterAll(() => {
  patience.ms = patienceBefore;
  rmSync(place.directory, { recursive: true, force: true });
});

/** A context sufficient for the cases whose both ends live in this process. */
class OneProcess implements Partial<CheckContext> {
  readonly transport: Transport;
  readonly place: Place;
  readonly signal: AbortSignal = new AbortController().signal;
  readonly addresses: Address[] = [];

  constructor(transport: Transport) {
    this.transport = transport;
    this.place = place;
  }

  async allocate(): Promise<Address> {
    const address = await this.transport.allocate(place);
    this.addresses.push(address);
    return address;
  }

  residue(address: Address): ReturnType<Transport["residue"]> {
    return this.transport.residue(address);
  }

  note(): void {}
}

async function objects(check: Check, transport: Transport): Promise<boolean> {
  expect(unmetNeed(check, transport)).toBeUndefined();
  const context = new OneProcess(transport);
  try {
    await check.run(context as unknown as CheckContext);
    return false;
  } catch {
    return true;
  } finally {
    for (const address of context.addresses) await transport.sweep(address);
  }
}

test("every fault is listed with the cases that object to it", () => {
  expect(Object.keys(OBJECTIONS).sort()).toEqual(Object.keys(FAULTS).sort());
  expect(faulty.map(({ id }) => id)).toEqual(Object.keys(FAULTS).map((name) => `faulty/${name}`));
});

describe.each(Object.entries(FAULTS))("when %s", (name, { about }) => {
  const named = OBJECTIONS[name] ?? [];
  const looked =
    name === "none" ? [...new Set(Object.values(OBJECTIONS).flat())] : [...new Set([...named, ...INNOCENT])];

  test(`that is, ${about}, exactly ${named.length === 0 ? "no case" : named.join(" and ")} objects`, async () => {
    const transport = faulty.find(({ id }) => id === `faulty/${name}`);
    if (transport === undefined) throw new Error(`no transport faulty/${name}`);
    const objecting: string[] = [];
    for (const id of looked) {
      const check = CONFORMANCE.find((candidate) => candidate.id === `conformance/${id}`);
      if (check === undefined) throw new Error(`no case ${id}`);
      if (await objects(check, transport)) objecting.push(id);
    }
    expect(objecting.sort()).toEqual([...named].sort());
  });
});
