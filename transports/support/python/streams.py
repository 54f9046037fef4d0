"""Connections over byte streams: the length as u32 little-endian, then the message, as in support/length-prefix.ts."""

import struct
import threading

from failures import MAX_MESSAGE_BYTES

PREFIX = struct.Struct("<I")
READ_BYTES = 64 * 1024
# For a small message, a copy after the prefix is cheaper than a second system call. A large one is not copied.
JOIN_BYTES = 64 * 1024
JOIN_S = 2.0


def write_framed(write, message):
    """Writes the length, then the message. `write(bytes)` writes all bytes."""
    if len(message) <= JOIN_BYTES:
        write(PREFIX.pack(len(message)) + message)
    else:
        write(PREFIX.pack(len(message)))
        write(message)


class Frames:
    """Cuts a stream of bytes into messages. `read(size)` returns at least one byte, or none at the end."""

    def __init__(self, read):
        self._read = read
        self._rest = b""
        self._at = 0

    def take(self):
        """Returns the next message; None at the end, or if a length is larger than any message may be."""
        while True:
            rest, at = self._rest, self._at
            if len(rest) - at >= PREFIX.size:
                (length,) = PREFIX.unpack_from(rest, at)
                end = at + PREFIX.size + length
                if len(rest) >= end:
                    self._at = end
                    return rest[at + PREFIX.size:end]
                if length > MAX_MESSAGE_BYTES:
                    return None
                if length > READ_BYTES:
                    self._rest, self._at = self._gather(rest[at:], PREFIX.size + length), 0
                    if self._rest is None:
                        return None
                    continue
            chunk = self._read(READ_BYTES)
            if not chunk:
                return None
            self._rest, self._at = rest[at:] + chunk if at < len(rest) else chunk, 0

    def _gather(self, begun, whole):
        """Reads the rest of a large message. Does not copy the first part again for every chunk."""
        parts = [begun]
        missing = whole - len(begun)
        while missing > 0:
            chunk = self._read(min(missing, 1024 * 1024))
            if not chunk:
                return None
            parts.append(chunk)
            missing -= len(chunk)
        return b"".join(parts)


class StreamClient:
    """Client of one connection. `write` and `read` are as above; `close()` ends both directions."""

    def __init__(self, read, write, close):
        self._frames = Frames(read)
        self._write = write
        self.close = close

    def send(self, message):
        write_framed(self._write, message)

    def receive(self):
        message = self._frames.take()
        if message is None:
            raise EOFError("the server hung up")
        return message


class StreamConnection:
    """Connection of a server. `read` and `write` are as above; `hang_up()` ends our direction."""

    def __init__(self, program, read, write, hang_up, release):
        self._program = program
        self._frames = Frames(read)
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
                write_framed(self._write, message)
            except OSError:
                self._open = False

    def _serve(self):
        try:
            while True:
                message = self._frames.take()
                if message is None:
                    return
                self._program.message(self, message)
        except OSError:
            pass
        finally:
            self._end()

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
        # The thread of a client that was just accepted may not have begun. Nobody can wait for such a thread.
        if self._thread.is_alive():
            self._thread.join(JOIN_S)
