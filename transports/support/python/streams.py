"""Connections over byte streams: u32 little-endian length, then the message. transports/support/length-prefix.ts."""

import struct
import threading

from failures import MAX_MESSAGE_BYTES

PREFIX = struct.Struct("<I")
READ_BYTES = 64 * 1024
# Copying a small message behind its prefix is cheaper than a second system call; a large one is not copied.
JOIN_BYTES = 64 * 1024
JOIN_S = 2.0


class StreamConnection:
    """`read(size)` returns some bytes, none at the end; `write(bytes)` writes all; `hang_up()` ends our direction."""

    def __init__(self, program, read, write, hang_up, release):
        self._program = program
        self._read = read
        self._write = write
        self._hang_up = hang_up
        self._release = release
        self._lock = threading.Lock()
        self._open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def start(self):
        self._program.opened(self)
        self._thread.start()

    def send(self, message):
        with self._lock:
            if not self._open:
                return
            try:
                if len(message) <= JOIN_BYTES:
                    self._write(PREFIX.pack(len(message)) + message)
                else:
                    self._write(PREFIX.pack(len(message)))
                    self._write(message)
            except OSError:
                self._open = False

    def _serve(self):
        try:
            self._read_messages()
        except OSError:
            pass
        finally:
            self._end()

    def _read_messages(self):
        rest = b""
        while True:
            chunk = self._read(READ_BYTES)
            if not chunk:
                return
            rest = rest + chunk if rest else chunk
            at = 0
            while len(rest) - at >= 4:
                (length,) = PREFIX.unpack_from(rest, at)
                if length > MAX_MESSAGE_BYTES:
                    return
                end = at + 4 + length
                if len(rest) < end:
                    if length > READ_BYTES:
                        rest = self._gather(rest[at:], length + 4)
                        if rest is None:
                            return
                        at, end = 0, length + 4
                    else:
                        break
                self._program.message(self, rest[at + 4:end])
                at = end
            rest = rest[at:]

    def _gather(self, begun, whole):
        """Reads the rest of a large message, without copying what is there again for every chunk."""
        parts = [begun]
        missing = whole - len(begun)
        while missing > 0:
            chunk = self._read(min(missing, 1024 * 1024))
            if not chunk:
                return None
            parts.append(chunk)
            missing -= len(chunk)
        return b"".join(parts)

    def _end(self):
        with self._lock:
            self._open = False
        self._program.closed(self)
        self._release(self)

    def close(self):
        """Ends our direction and waits for the client to end its own."""
        with self._lock:
            if self._open:
                self._open = False
                try:
                    self._hang_up()
                except OSError:
                    pass
        # A thread of a client that was accepted a moment ago has not begun, and cannot be waited for.
        if self._thread.is_alive():
            self._thread.join(JOIN_S)
