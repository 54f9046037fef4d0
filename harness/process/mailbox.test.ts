import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { readLines } from "./lines.ts";
import { Mailbox } from "./mailbox.ts";

type Message = { readonly type: "a"; readonly n: number } | { readonly type: "b" };

describe("a mailbox", () => {
  it("gives a message to whoever waits for its type, and keeps the others in order", async () => {
    const mailbox = new Mailbox<Message>();
    const b = mailbox.next(["b"], 1000, "test");
    mailbox.put({ type: "a", n: 1 });
    mailbox.put({ type: "b" });
    mailbox.put({ type: "a", n: 2 });
    expect(await b).toEqual({ type: "b" });
    expect(await mailbox.next(["a"], 1000, "test")).toEqual({ type: "a", n: 1 });
    expect(await mailbox.next(["a", "b"], 1000, "test")).toEqual({ type: "a", n: 2 });
  });

  it("does not wait for ever, and says who did not answer", async () => {
    await expect(new Mailbox<Message>().next(["a"], 10, "the peer")).rejects.toThrow(
      "the peer: no answer within 10 ms",
    );
  });

  it("tells everybody, also those who come later, why nothing more will come", async () => {
    const mailbox = new Mailbox<Message>();
    const waiting = mailbox.next(["a"], 1000, "test");
    mailbox.end(() => "the peer process exited with code 3");
    await expect(waiting).rejects.toThrow("exited with code 3");
    await expect(mailbox.next(["a"], 1000, "test")).rejects.toThrow("exited with code 3");
  });
});

describe("reading JSON lines", () => {
  it("finds the values wherever the chunks are cut, and passes over what is not JSON", async () => {
    const text = Buffer.from('{"type":"a","n":1}\nWarning: é something\n{"type":"b"}\n');
    for (let cut = 0; cut <= text.length; cut++) {
      const stream = new PassThrough();
      const values: unknown[] = [];
      const noise: string[] = [];
      const ended = new Promise<void>((resolve) =>
        readLines(
          stream,
          (value) => values.push(value),
          resolve,
          (line) => noise.push(line),
        ),
      );
      stream.write(text.subarray(0, cut));
      stream.end(text.subarray(cut));
      await ended;
      expect(values, `cut at ${cut}`).toEqual([{ type: "a", n: 1 }, { type: "b" }]);
      expect(noise).toEqual(["Warning: é something"]);
    }
  });
});
