import fc from "fast-check";
import { expect, test } from "vitest";
import { Inbox } from "./inbox.ts";
import { type MailName, parseRequestName, parseResponseName, requestName, responseName } from "./names.ts";

const request = (serial: number): MailName => ({
  file: "",
  client: "c",
  epoch: 0,
  serial,
  answers: undefined,
  raw: false,
});

test("messages come in the order of sending, whatever each listing happens to show of the folder", () => {
  const listing = fc.array(fc.boolean(), { minLength: 40, maxLength: 40 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), fc.array(listing, { maxLength: 30 }), (first, listings) => {
      const inbox = new Inbox();
      const all = Array.from({ length: 40 }, (_, index) => request(first + index));
      const taken: number[] = [];
      const drain = (names: readonly MailName[]): void => {
        for (;;) {
          const name = inbox.next(names, () => all, 0);
          if (name === undefined || name === "gap") return;
          taken.push(name.serial);
          inbox.advance();
        }
      };
      // Each of these shows some files and misses others, as a listing taken during renames may.
      for (const shown of listings) drain(all.filter((_, index) => shown[index]));
      drain(all);
      expect(taken).toEqual(all.map(({ serial }) => serial));
    }),
  );
});

test("a message that stays missing between two others is reported after two seconds, not waited for", () => {
  const inbox = new Inbox();
  const names = [request(1), request(3)];
  expect(inbox.next(names, () => names, 0)).toBe(names[0]);
  inbox.advance();
  const rest = [request(3)];
  expect(inbox.next(rest, () => rest, 1000)).toBeUndefined();
  expect(inbox.next(rest, () => rest, 2999)).toBeUndefined();
  expect(inbox.next(rest, () => rest, 3000)).toBe("gap");
});

test("responses of a successor come after all of its predecessor's", () => {
  const inbox = new Inbox();
  const of = (epoch: number, serial: number): MailName => ({ ...request(serial), epoch });
  const old = of(5, 1);
  expect(inbox.next([old], () => [old], 0)).toBe(old);
  inbox.advance();
  const late = of(5, 2);
  const young = of(6, 1);
  expect(inbox.next([young], () => [young, late], 0)).toBe(late);
  inbox.advance();
  expect(inbox.next([young], () => [young], 0)).toBe(young);
});

test("a second answer to the same request is recognised, a second message for it is not dropped", () => {
  const inbox = new Inbox();
  expect(inbox.isRepeated({ sequence: 1, index: 0 })).toBe(false);
  expect(inbox.isRepeated({ sequence: 1, index: 1 })).toBe(false);
  expect(inbox.isRepeated({ sequence: 2, index: 0 })).toBe(false);
  expect(inbox.isRepeated({ sequence: 2, index: 0 })).toBe(true);
  expect(inbox.isRepeated({ sequence: 1, index: 1 })).toBe(true);
  expect(inbox.isRepeated(undefined)).toBe(false);
});

test("file names are read back as they were written and sort in the order of sending", () => {
  const serials = fc.integer({ min: 1, max: 9_999_999_999 });
  fc.assert(
    fc.property(serials, serials, fc.boolean(), (a, b, raw) => {
      const [first, second] = [requestName("client-1", a, raw), requestName("client-1", b, raw)];
      expect(parseRequestName(first)).toMatchObject({ client: "client-1", serial: a, raw });
      expect(first < second).toBe(a < b);
      const name = responseName({ epoch: 1_790_000_000_000, serial: a }, { sequence: b, index: 3 }, raw);
      expect(parseResponseName(name)).toMatchObject({ serial: a, answers: { sequence: b, index: 3 }, raw });
    }),
  );
});
