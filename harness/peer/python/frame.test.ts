import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Method } from "../../../scenarios/check.ts";
import { bindChecksum, HEADER_BYTES, Kind, Status, writeHeader } from "../../../transports/contract/frame.ts";
import { constantsIn } from "../../../transports/testing/constants.ts";
import { STREAM_LAST } from "../../rpc/message.ts";
import { FULL_CHECK_BYTES, LARGE_EVERY } from "../../rpc/verify.ts";

const file = new URL("frame.py", import.meta.url);

test("frame.py has the numbers of frame.ts and of what is beside it", () => {
  expect(constantsIn(file)).toEqual({
    REQUEST: Kind.request,
    REPLY: Kind.reply,
    ONE_WAY: Kind.oneWay,
    OK: Status.ok,
    FAILED: Status.failed,
    BUSY: Status.busy,
    CLOSING: Status.closing,
    UNKNOWN_METHOD: Status.unknownMethod,
    CORRUPT: Status.corrupt,
    ECHO: Method.echo,
    ECHO_LATER: Method.echoLater,
    IGNORE: Method.ignore,
    CRASH: Method.crash,
    SHUTDOWN: Method.shutdown,
    STATISTICS: Method.statistics,
    USAGE: Method.usage,
    WORK: Method.work,
    FULL_CHECK_BYTES,
    LARGE_EVERY,
    STREAM_LAST,
    _ID_SPREAD: bindChecksum(0, 1),
  });
});

test("the header is id, kind, method, status, length, checksum, little-endian, in Python and C as here", () => {
  const fields = /^HEADER = struct\.Struct\("<(\w+)"\)$/m.exec(readFileSync(file, "utf8"))?.[1] ?? "";
  const frame = new Uint8Array(HEADER_BYTES);
  writeHeader(frame, 0x0a0b0c0d, 1 as Kind, 2, 0x0304, 0x05060708, 0x090a0b0c);
  const view = Buffer.from(frame.buffer);
  const widths = { B: 1, H: 2, I: 4 } as const;
  let at = 0;
  const read = [...fields].map((field) => {
    const width = widths[field as keyof typeof widths];
    at += width;
    return view.readUIntLE(at - width, width);
  });
  expect(read).toEqual([0x0a0b0c0d, 1, 2, 0x0304, 0x05060708, 0x090a0b0c]);
  expect(at).toBe(HEADER_BYTES);
  expect(constantsIn(new URL("../../c-baseline/ping-pong.c", import.meta.url))["HEADER_BYTES"]).toBe(HEADER_BYTES);
});
