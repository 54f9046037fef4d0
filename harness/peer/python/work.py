"""CPU work of a known amount, as in harness/peer/work.ts: the CPU clock of the thread decides."""

import sys
import time

MOST_MICROS = 1000000
PIECE = 10

# The CPU clock of Windows moves in steps of 16 ms.
_clock = time.perf_counter if sys.platform == "win32" else time.thread_time


def work(micros):
    until = _clock() + min(micros, MOST_MICROS) / 1e6
    while _clock() < until:
        _hash()


def _hash():
    """FNV-1a over a counter; 10 iterations take about 1 µs."""
    value = 0x811C9DC5
    for index in range(PIECE):
        value = ((value ^ (index & 0xFF)) * 0x01000193) & 0xFFFFFFFF
    return value
