"""Rings in shared memory, and the semaphores beside them: the Python side of ring.ts and parker.ts, for rings.py."""

import _multiprocessing
import fcntl
import mmap
import os
import threading

CAPACITY = 2
REQUESTS, HEAD = 96, 32
REPLIES = REQUESTS + 2 * HEAD
FRAME_BYTES = 8
PADDING = 0xFFFFFFFF
MASK = 0xFFFFFFFF

_barrier = threading.Lock()


def fence():
    with _barrier:
        pass


def signed(value):
    """Returns the difference of two free-running positions."""
    value &= MASK
    return value - (MASK + 1) if value & 0x80000000 else value


class Malformed(Exception):
    pass


class Segment:
    def __init__(self, path, size=None):
        flags = os.O_RDWR | os.O_CLOEXEC | (0 if size is None else os.O_CREAT | os.O_EXCL)
        self.descriptor = os.open(path, flags, 0o600)
        try:
            if size is not None:
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.posix_fallocate(self.descriptor, 0, size)
            self.size = os.fstat(self.descriptor).st_size
            self._map = mmap.mmap(self.descriptor, self.size)
        except (OSError, ValueError):
            os.close(self.descriptor)
            raise
        self.bytes = memoryview(self._map)
        self.words = self.bytes[: self.size & ~3].cast("I")

    def close(self):
        self.words.release()
        self.bytes.release()
        self._map.close()
        os.close(self.descriptor)


class Writer:
    def __init__(self, segment, control, data, capacity):
        self._words, self._bytes = segment.words, segment.bytes
        self._tail_word, self._head_word = control, control + HEAD
        self._data, self._capacity = data, capacity
        self._tail = self._words[control]
        self._head = self._tail
        self._sequence = 0

    def has_room(self, length):
        head = self._words[self._head_word]
        used = signed(self._tail - head)
        if used < 0 or used > signed(self._tail - self._head) or used & 7:
            raise Malformed("its position is %d bytes behind ours" % used)
        self._head = head
        need = (length + FRAME_BYTES + 7) & ~7
        to_end = self._capacity - (self._tail & (self._capacity - 1))
        return self._capacity - used >= (to_end + need if need > to_end else need)

    def try_write(self, message):
        length = len(message)
        if not self.has_room(length):
            return False
        need = (length + FRAME_BYTES + 7) & ~7
        at = self._tail & (self._capacity - 1)
        if need > self._capacity - at:
            self._frame(at, PADDING)
            self._tail = (self._tail + self._capacity - at) & MASK
            at = 0
        self._frame(at, length)
        start = self._data + at + FRAME_BYTES
        self._bytes[start:start + length] = message
        self._tail = (self._tail + need) & MASK
        self._words[self._tail_word] = self._tail
        return True

    def _frame(self, at, length):
        word = (self._data + at) >> 2
        self._words[word] = length
        self._words[word + 1] = self._sequence
        self._sequence = (self._sequence + 1) & MASK


class Reader:
    def __init__(self, segment, control, data, capacity):
        self._words, self._bytes = segment.words, segment.bytes
        self._tail_word, self._head_word = control, control + HEAD
        self._data, self._capacity = data, capacity
        self._head = self._words[self._head_word]
        self._sequence = 0
        self.freed = False

    def is_ready(self):
        return self._words[self._tail_word] != self._head

    def try_read(self):
        """Takes the next message, copied, or None. Gives its space back at once."""
        available = signed(self._words[self._tail_word] - self._head)
        if available == 0:
            return None
        if available < 0 or available > self._capacity or available & 7:
            raise Malformed("its position is %d bytes ahead of ours" % available)
        at = self._head & (self._capacity - 1)
        length = self._frame(at)
        filling = 0
        if length == PADDING:
            filling = self._capacity - at
            if at == 0 or filling + FRAME_BYTES > available:
                raise Malformed("padding without a frame after it")
            at = 0
            length = self._frame(at)
        need = (length + FRAME_BYTES + 7) & ~7
        if need > available - filling or at + need > self._capacity or length > self._capacity // 2 - FRAME_BYTES:
            raise Malformed("a length of %d bytes" % length)
        start = self._data + at + FRAME_BYTES
        message = bytes(self._bytes[start:start + length])
        self._head = (self._head + filling + need) & MASK
        self._words[self._head_word] = self._head
        self.freed = True
        return message

    def _frame(self, at):
        word = (self._data + at) >> 2
        if self._words[word + 1] != self._sequence:
            raise Malformed("sequence number %d instead of %d" % (self._words[word + 1], self._sequence))
        self._sequence = (self._sequence + 1) & MASK
        return self._words[word]


class Semaphore:
    """A named POSIX semaphore, through the class that multiprocessing itself uses."""

    KIND, MOST = 1, 0x7FFFFFFF

    def __init__(self, name, create):
        if create:
            self._lock = _multiprocessing.SemLock(self.KIND, 0, self.MOST, name, False)
        else:
            self._lock = _multiprocessing.SemLock._rebuild(0, self.KIND, self.MOST, name)

    def wait(self, seconds):
        """Waits for a post. Returns False if none came in time."""
        return self._lock.acquire(True, seconds)

    def post(self):
        self._lock.release()
