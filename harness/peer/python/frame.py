"""16-byte header of transports/contract/frame.ts: u32 id, u8 kind, u8 method, u16 status, u32 length, u32 checksum."""

import struct
import zlib

HEADER = struct.Struct("<IBBHII")
HEADER_BYTES = HEADER.size

REQUEST, REPLY, ONE_WAY = 1, 2, 3
OK, FAILED, BUSY, CLOSING, UNKNOWN_METHOD, CORRUPT = 0, 1, 2, 3, 4, 5
ECHO, ECHO_LATER, IGNORE, CRASH, SHUTDOWN, STATISTICS, USAGE, WORK = 0, 1, 2, 3, 4, 5, 6, 12

# Every body up to this size has a checksum; of larger ones, one in LARGE_EVERY: harness/rpc/verify.ts.
FULL_CHECK_BYTES = 4096
LARGE_EVERY = 64
STREAM_LAST = 1
_ID_SPREAD = 0x9E3779B1


def bind_checksum(crc, number):
    return (crc ^ (number * _ID_SPREAD)) & 0xFFFFFFFF


def checksum_holds(message):
    number, _, _, _, _, checksum = HEADER.unpack_from(message)
    return bind_checksum(zlib.crc32(memoryview(message)[HEADER_BYTES:]), number) == checksum


def arrived_intact(message):
    if len(message) < HEADER_BYTES:
        return False
    if HEADER.unpack_from(message)[4] != len(message) - HEADER_BYTES:
        return False
    return len(message) > HEADER_BYTES + FULL_CHECK_BYTES or checksum_holds(message)


def leading_number(request):
    """Returns the u32 at the start of the body; 0 for a short body."""
    has_number = len(request) >= HEADER_BYTES + 4
    return struct.unpack_from("<I", request, HEADER_BYTES)[0] if has_number else 0


def as_reply(request, status):
    """Returns a reply with the same id, method and body, and so the same checksum."""
    reply = bytearray(request)
    reply[4] = REPLY
    reply[6] = status
    reply[7] = 0
    return reply


def build_reply(request, status, body):
    number, _, method, _, _, _ = HEADER.unpack_from(request)
    checksum = bind_checksum(zlib.crc32(body), number)
    return HEADER.pack(number, REPLY, method, status, len(body), checksum) + body
