"""CPU work of a known amount, as of harness/peer/work.ts: a number of iterations that is fixed at the first request."""

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
    """The fastest of several tries: the others had to wait for a CPU, or for the interpreter's lock."""
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
