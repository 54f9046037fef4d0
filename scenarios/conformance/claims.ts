import { isDeepStrictEqual } from "node:util";
import { UNBOUNDED_MESSAGE_BYTES } from "../../transports/contract/capabilities.ts";
import type { Check } from "../check.ts";
import { expect, within } from "../kit/expect.ts";

/** Checks of what a transport states about itself, before anything is opened. */
export const claims: readonly Check[] = [
  {
    id: "claims/consistent",
    title: "The capability record is plain data, constant, and agrees with the faces that are there",
    why: "Reports, picks and these checks rely on it; a wrong record, or one that cannot be stored, misleads them all.",
    quick: true,
    needs: [],
    async run({ transport }) {
      const { capabilities, event, blocking } = transport;
      const copy = structuredClone(capabilities);
      expect(isDeepStrictEqual(copy, capabilities), "the capability record changes when it is cloned");
      expect(isDeepStrictEqual(JSON.parse(JSON.stringify(copy)), copy), "the capability record is not plain JSON data");
      await transport.probe();
      expect(isDeepStrictEqual(transport.capabilities, copy), "the capability record changed after probe()");
      expect(event !== undefined || blocking !== undefined, "there is neither an event nor a blocking face");
      expect(!copy.modes.includes("event") || event !== undefined, "modes lists event, but there is no event face");
      const waits = copy.modes.some((mode) => mode !== "event");
      expect(!waits || blocking !== undefined, "modes lists blocking or polling, but there is no blocking face");
      expect(
        copy.rendezvous !== "parent" || event?.launch !== undefined,
        "rendezvous is parent, but launch is missing",
      );
      const limits = { ...copy } as const;
      for (const name of ["maxMessageBytes", "maxClients", "maxInFlight"] as const) {
        expect(Number.isSafeInteger(limits[name]) && limits[name] >= 1, `${name} is ${limits[name]}`);
      }
      expect(copy.maxMessageBytes <= UNBOUNDED_MESSAGE_BYTES, "maxMessageBytes is above the ceiling of 64 MiB");
      expect(copy.patterns.length > 0 && copy.platforms.length > 0, "patterns or platforms is empty");
    },
  },
  {
    id: "claims/probe",
    title: "probe returns a version or a reason, and never throws",
    why: "It runs on machines where the mechanism is missing; there an exception would end the whole comparison.",
    quick: true,
    needs: [],
    async run({ transport }) {
      const answers = await within("probe", Promise.all([transport.probe(), transport.probe()]));
      for (const answer of answers) {
        const text = answer.available ? answer.version : answer.reason;
        expect(typeof text === "string" && text.length > 0, "probe returned neither a version nor a reason");
      }
      expect(answers[0].available === answers[1].available, "two probes at one time disagree");
    },
  },
  {
    id: "claims/allocate",
    title: "allocate returns plain data and creates nothing",
    why: "An address is written to the journal before its use; a crash in between would lose what allocate created.",
    needs: [],
    async run(context) {
      const address = await context.allocate();
      expect(address.transport === context.transport.id, `the address names ${address.transport} as its transport`);
      expect(isDeepStrictEqual(JSON.parse(JSON.stringify(address)), address), "the address is not plain JSON data");
      const held = await context.residue(address);
      expect(held.length === 0, `allocate created ${held.map((object) => object.name).join(", ")}`);
    },
  },
];
