"""Resource usage of this process, as in harness/process/usage.ts and harness/peer/statistics.ts."""

import gc
import os
import resource
import sys
import time

_pause_ns = 0
_started = 0.0


def watch_garbage_collection():
    def around(phase, _info):
        global _pause_ns, _started
        if phase == "start":
            _started = time.perf_counter()
        else:
            _pause_ns += int((time.perf_counter() - _started) * 1e9)

    gc.callbacks.append(around)


def read_usage():
    used = resource.getrusage(resource.RUSAGE_SELF)
    # macOS reports bytes, the others kilobytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "cpuMicros": int((used.ru_utime + used.ru_stime) * 1e6),
        "voluntarySwitches": used.ru_nvcsw,
        "involuntarySwitches": used.ru_nivcsw,
        "peakMemoryBytes": used.ru_maxrss * unit,
        "gcPauseNs": _pause_ns,
    }


def read_statistics(requests, clients):
    return {
        "pid": os.getpid(),
        "rssBytes": _resident_bytes(),
        "descriptors": _entries("/proc/self/fd"),
        "threads": _entries("/proc/self/task"),
        "requests": requests,
        "clients": clients,
        "usage": read_usage(),
    }


def _resident_bytes():
    try:
        with open("/proc/self/statm") as status:
            return int(status.read().split()[1]) * resource.getpagesize()
    except OSError:
        return -1


def _entries(directory):
    try:
        return len(os.listdir(directory))
    except OSError:
        return -1
