"""The other program of the interoperability tests: Python on the same names. One action per run."""
import ctypes
import sys
from multiprocessing import resource_tracker, shared_memory

import _multiprocessing


def semaphore(name):
    return _multiprocessing.SemLock._rebuild(0, 1, 2**31 - 1, name)


def add_one(segment, go, done):
    # A Python that only attaches would unlink the segment when it exits, unless it unregisters it (3.13: track=False).
    shared = shared_memory.SharedMemory(name=segment.lstrip("/"))
    resource_tracker.unregister(shared._name, "shared_memory")
    assert semaphore(go).acquire(True, 5), "nobody posted"
    shared.buf[0] += 1
    shared.close()
    semaphore(done).release()


def queue_reverse(requests, replies):
    libc = ctypes.CDLL(None, use_errno=True)
    source, target = libc.mq_open(requests.encode(), 0), libc.mq_open(replies.encode(), 1)
    assert source >= 0 and target >= 0, ctypes.get_errno()
    text, priority = ctypes.create_string_buffer(8192), ctypes.c_uint()
    libc.mq_receive.restype = ctypes.c_ssize_t
    length = libc.mq_receive(source, text, ctypes.c_size_t(8192), ctypes.byref(priority))
    assert length >= 0, ctypes.get_errno()
    answer = text.raw[:length][::-1]
    assert libc.mq_send(target, answer, ctypes.c_size_t(length), priority.value + 1) == 0, ctypes.get_errno()


{"add-one": add_one, "queue-reverse": queue_reverse}[sys.argv[1]](*sys.argv[2:])
