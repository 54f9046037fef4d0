"""CPU work of a known amount, as in harness/peer/work.ts: the first request fixes the number of iterations."""

import time

MOST_MICROS = 1000000
TRIES = 12
TRY_ITERATIONS = 5000

_per_micro = None


def work(micros):
    global _per_micro
    if _per_micro is None:
        _per_micro = _calibrate()
    _hash(int(min(micros, MOST_MICROS) * _per_micro))


def _calibrate():
    """Returns the fastest of several tries: the others waited for a CPU, or for the interpreter's lock."""
    fastest = 0.0
    for _ in range(TRIES):
        started = time.perf_counter()
        _hash(TRY_ITERATIONS)
        fastest = max(fastest, TRY_ITERATIONS / max(1e-9, time.perf_counter() - started) / 1e6)
    return fastest


def _hash(iterations):
    value = 0x811C9DC5
    for index in range(iterations):
        value = ((value ^ (index & 0xFF)) * 0x01000193) & 0xFFFFFFFF
    return value
