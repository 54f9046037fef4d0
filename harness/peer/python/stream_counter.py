"""Counts one-way messages at the receiver. Counterpart of harness/peer/stream-counter.ts."""

import time

import frame

MAX_MISSING = 100000


def now_ns():
    """Returns CLOCK_MONOTONIC, like Node's process.hrtime."""
    return time.monotonic_ns() if hasattr(time, "monotonic_ns") else int(time.monotonic() * 1e9)


class StreamCounter:
    def __init__(self):
        self._reset()

    def _reset(self):
        self._received = self._duplicated = self._reordered = self._corrupted = 0
        self._expected = self._first_ns = self._last_ns = 0
        self._missing = set()

    @property
    def active(self):
        return self._received + self._corrupted > 0

    def count(self, message):
        """Counts a message; returns True for the one marked as the last."""
        if not frame.arrived_intact(message):
            self._corrupted += 1
            return False
        if self._received == 0:
            self._first_ns = now_ns()
        self._received += 1
        number, _, method, _, length, _ = frame.HEADER.unpack_from(message)
        if number == self._expected:
            self._expected += 1
        else:
            self._out_of_turn(number)
        if method == frame.STREAM_LAST:
            self._last_ns = now_ns()
            return True
        if length > frame.FULL_CHECK_BYTES and number % frame.LARGE_EVERY == 0 and not frame.checksum_holds(message):
            self._corrupted += 1
        return False

    def _out_of_turn(self, number):
        if number > self._expected:
            room = MAX_MISSING - len(self._missing)
            self._missing.update(range(self._expected, min(number, self._expected + max(room, 0))))
            self._expected = number + 1
        elif number in self._missing:
            self._missing.discard(number)
            self._reordered += 1
        else:
            self._duplicated += 1

    def take(self):
        report = {
            "type": "stream-report",
            "received": self._received,
            "duplicated": self._duplicated,
            "reordered": self._reordered,
            "corrupted": self._corrupted,
            "firstNs": str(self._first_ns),
            "lastNs": str(self._last_ns or now_ns()),
        }
        self._reset()
        return report
