"""`shm/semaphore` and `mmap/semaphore`: the rings of transports/shared-memory over mmap, semaphores by SemLock.

multiprocessing.shared_memory is not used, because before Python 3.13 a process that attaches to a segment removes it
when it ends. A segment is a file below /dev/shm and is mapped like a file. layout.ts, ring.ts and parker.ts of that
folder have the layout and the rules.

Python has no atomic operations. But it reads and writes an aligned 32-bit word as a whole (memoryview casts). The order
"announce the sleep, check once more" needs a full barrier: on x86-64 and AArch64, taking a lock is one. Two sides race
only for the words of slots, where the other writer is a client that gives up.
"""

import hashlib
import heapq
import itertools
import os
import threading
import time

from failures import IpcError
from locks import is_owned
from ring_memory import (
    CAPACITY,
    FRAME_BYTES,
    REPLIES,
    REQUESTS,
    Malformed,
    Reader,
    Segment,
    Semaphore,
    Writer,
    fence,
)

CONTROL_BYTES, CONTROL_MAGIC = 4096, 0x43504349
PAIR_MAGIC, PAIR_DATA = 0x52504349, 4096
VERSION = 1
MAGIC, VERSION_WORD, SLOTS = 0, 1, 2
CONTROL_REST, ARRIVALS, CONTROL_CLOSED, FIRST_SLOT = 16, 32, 50, 64
CLIENT_CLOSED, SERVER_CLOSED, CLIENT_REST = 16, 32, 48
CLAIMED, READY, ACCEPTED = 1, 2, 3
AWAKE, FOR_DATA, FOR_ROOM = 0, 1, 2
MAX_CLIENTS = 32
SLICE_S = 0.05
CLAIM_S = 2.0
JOIN_S = 2.0


class RingConnection:
    def __init__(self, server, slot, segment, capacity, semaphore):
        self._server = server
        self.slot = slot
        self.segment = segment
        self.reader = Reader(segment, REQUESTS, PAIR_DATA, capacity)
        self._writer = Writer(segment, REPLIES, PAIR_DATA + capacity, capacity)
        self._semaphore = semaphore
        self._largest = capacity // 2 - FRAME_BYTES
        self._waiting_bytes = 0

    def send(self, message):
        if len(message) > self._largest:
            return
        try:
            while not self._writer.try_write(message):
                self._waiting_bytes = len(message)
                if not self._server.is_open or self.is_gone():
                    return
                self._server.rest(self._has_room, FOR_ROOM + self.slot)
            self.wake(FOR_DATA)
        except Malformed:
            self._server.forget(self)

    def _has_room(self):
        return self._writer.has_room(self._waiting_bytes)

    def later(self, delay_s, action):
        self._server.later(delay_s, action)

    def receive(self):
        message = self.reader.try_read()
        if self.reader.freed:
            self.reader.freed = False
            self.wake(FOR_ROOM)
        return message

    def wake(self, reason):
        fence()
        if self.segment.words[CLIENT_REST] == reason:
            self.wake_anyway()

    def wake_anyway(self):
        """Wakes the client. Writes the word before it posts, so at worst the client wakes once too often."""
        if self.segment.words[CLIENT_REST] != AWAKE:
            self.segment.words[CLIENT_REST] = AWAKE
            self._semaphore.post()

    def is_gone(self):
        return self.segment.words[CLIENT_CLOSED] != 0 or not is_owned(self.segment.descriptor)

    def close(self):
        self.segment.words[SERVER_CLOSED] = 1
        fence()
        self.wake_anyway()
        self.segment.close()


class Names:
    """Names and paths of the segments and semaphores of an address, as in store.ts."""

    def __init__(self, address):
        self.name = address["name"]
        self.in_files = address["transport"].startswith("mmap/")

    def slot(self, slot):
        return "%s-%d" % (self.name, slot)

    def path(self, name):
        return name if self.in_files else "/dev/shm/" + name[1:]

    def semaphore(self, name):
        if not self.in_files:
            return name
        return "/%s-%s" % (os.path.basename(name), hashlib.sha256(name.encode()).hexdigest()[:16])

    def remove(self, name):
        for path in (self.path(name), "/dev/shm/sem." + self.semaphore(name)[1:]):
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass

    def remove_all(self):
        for name in [self.name] + [self.slot(slot) for slot in range(MAX_CLIENTS)]:
            self.remove(name)


class RingServer:
    def __init__(self, address, names, control, program):
        self.address = address
        self.is_open = True
        self._names = names
        self._control = control
        self._words = control.words
        self._program = program
        self._semaphore = Semaphore(names.semaphore(names.name), True)
        self._clients = {}
        self._arrivals = 0
        self._claims = {}
        self._due = []
        self._order = itertools.count()
        self._housekept = time.monotonic()
        self._words[VERSION_WORD] = VERSION
        self._words[SLOTS] = MAX_CLIENTS
        self._words[MAGIC] = CONTROL_MAGIC
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while self.is_open:
            if not self._receive_all():
                self.rest(self._is_ready, FOR_DATA)
            while self._due and self._due[0][0] <= time.monotonic():
                heapq.heappop(self._due)[2]()
            if self._words[ARRIVALS] != self._arrivals:
                self._accept()
            if time.monotonic() - self._housekept > SLICE_S:
                self._housekeep()

    def _receive_all(self):
        """Handles one message of each client that has one. Returns False if no client had one."""
        found = False
        for client in list(self._clients.values()):
            try:
                message = client.receive()
            except Malformed:
                self.forget(client)
                continue
            if message is not None:
                found = True
                self._program.message(client, message)
        return found

    def _is_ready(self):
        if any(client.reader.is_ready() for client in self._clients.values()):
            return True
        return self._words[ARRIVALS] != self._arrivals

    def rest(self, is_ready, reason):
        """Announces the reason, checks once more, and sleeps (parker.ts)."""
        seconds = SLICE_S
        if self._due:
            seconds = max(0.0, min(seconds, self._due[0][0] - time.monotonic()))
        self._words[CONTROL_REST] = reason
        fence()
        if not is_ready():
            self._semaphore.wait(seconds)
        self._words[CONTROL_REST] = AWAKE

    def later(self, delay_s, action):
        heapq.heappush(self._due, (time.monotonic() + delay_s, next(self._order), action))

    def _accept(self):
        self._arrivals = self._words[ARRIVALS]
        for slot in range(MAX_CLIENTS):
            word = self._words[FIRST_SLOT + slot]
            if word & 3 == READY and slot not in self._clients:
                try:
                    self._admit(slot, word)
                except (OSError, Malformed):
                    self._free(slot, word)

    def _admit(self, slot, word):
        name = self._names.slot(slot)
        segment = Segment(self._names.path(name))
        try:
            capacity = check_pair(segment)
            semaphore = Semaphore(self._names.semaphore(name), False)
            if not is_owned(segment.descriptor) or self._words[FIRST_SLOT + slot] != word:
                raise Malformed("the client has given up")
        except (OSError, Malformed):
            segment.close()
            raise
        self._words[FIRST_SLOT + slot] = (word & ~3) | ACCEPTED
        client = self._clients[slot] = RingConnection(self, slot, segment, capacity, semaphore)
        # Both ends have opened the objects of this connection, so their names are needed no more.
        self._names.remove(name)
        self._program.opened(client)
        fence()
        client.wake_anyway()

    def _free(self, slot, word):
        self._names.remove(self._names.slot(slot))
        if self._words[FIRST_SLOT + slot] == word:
            self._words[FIRST_SLOT + slot] = 0

    def _housekeep(self):
        self._housekept = now = time.monotonic()
        for client in list(self._clients.values()):
            if client.is_gone() and not client.reader.is_ready():
                self.forget(client)
        for slot in range(MAX_CLIENTS):
            word = self._words[FIRST_SLOT + slot]
            if word & 3 != CLAIMED:
                self._claims.pop(slot, None)
            elif self._claims.setdefault(slot, (word, now))[0] != word:
                self._claims[slot] = (word, now)
            elif now - self._claims[slot][1] > CLAIM_S:
                self._free(slot, word)

    def forget(self, client):
        if self._clients.pop(client.slot, None) is None:
            return
        self._program.closed(client)
        client.close()
        if self._words[FIRST_SLOT + client.slot] & 3 == ACCEPTED:
            self._words[FIRST_SLOT + client.slot] = 0

    def close(self):
        self.is_open = False
        self._semaphore.post()
        self._thread.join(JOIN_S)
        self._words[CONTROL_CLOSED] = 1
        for client in list(self._clients.values()):
            self.forget(client)
        self._names.remove_all()


def check_pair(segment):
    if segment.size < PAIR_DATA:
        raise Malformed("too small")
    capacity = segment.words[CAPACITY]
    power = capacity >= 64 and capacity & (capacity - 1) == 0
    if segment.words[MAGIC] != PAIR_MAGIC or segment.words[VERSION_WORD] != VERSION or not power:
        raise Malformed("not a pair of rings of this version")
    if segment.size != PAIR_DATA + 2 * capacity:
        raise Malformed("not as long as it states")
    return capacity


def listen(address, key, program):
    names = Names(address)
    path = names.path(names.name)
    try:
        control = Segment(path, CONTROL_BYTES)
    except FileExistsError:
        remove_stale(names, path)
        control = Segment(path, CONTROL_BYTES)
    return RingServer(address, names, control, program)


def remove_stale(names, path):
    descriptor = os.open(path, os.O_RDWR)
    try:
        if is_owned(descriptor):
            raise IpcError("IPC_ADDRESS_IN_USE", "a server is listening at %s" % names.name)
        magic = int.from_bytes(os.pread(descriptor, 4, 0), "little")
        if os.fstat(descriptor).st_size < CONTROL_BYTES or magic not in (0, CONTROL_MAGIC):
            raise IpcError("IPC_ADDRESS_IN_USE", "something that is not ours is at %s" % names.name)
        names.remove_all()
    finally:
        os.close(descriptor)
