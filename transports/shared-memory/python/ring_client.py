"""Client of rings.py and of transports/shared-memory/server.ts: the Python side of client.ts.

Python has no atomic operations. So it claims a slot by writing its word and reading it back. If another client claims
the slot at the same time, one of the two finds its word changed and takes another slot (client.ts). This is enough for
a client that measures alone.
"""

import os
import random
import time

from failures import IpcError
from locks import is_owned
from ring_memory import CAPACITY, REPLIES, REQUESTS, Reader, Segment, Semaphore, Writer, fence
from rings import (
    ACCEPTED,
    ARRIVALS,
    AWAKE,
    CLAIMED,
    CLIENT_CLOSED,
    CLIENT_REST,
    CONTROL_CLOSED,
    CONTROL_MAGIC,
    CONTROL_REST,
    FIRST_SLOT,
    FOR_DATA,
    FOR_ROOM,
    MAGIC,
    MAX_CLIENTS,
    PAIR_DATA,
    PAIR_MAGIC,
    READY,
    SERVER_CLOSED,
    SLICE_S,
    VERSION,
    VERSION_WORD,
    Names,
)

RING_BYTES = 4 * 1024 * 1024
CONNECT_S = 5.0


class RingClient:
    def __init__(self, names, control):
        self._names = names
        self._control = control
        self._server_semaphore = Semaphore(names.semaphore(names.name), False)
        self._slot, token = claim_slot(control.words)
        self._segment, self._semaphore = self._make_pair()
        self._words = self._segment.words
        self._writer = Writer(self._segment, REQUESTS, PAIR_DATA, RING_BYTES)
        self._reader = Reader(self._segment, REPLIES, PAIR_DATA + RING_BYTES, RING_BYTES)
        self._waiting_bytes = 0
        control.words[FIRST_SLOT + self._slot] = token | READY
        self._announce()
        self._await_admission(token)

    def _make_pair(self):
        name = self._names.slot(self._slot)
        # The slot is ours, so a killed client has left the objects that have its names.
        self._names.remove(name)
        segment = Segment(self._names.path(name), PAIR_DATA + 2 * RING_BYTES)
        segment.words[CAPACITY] = RING_BYTES
        segment.words[VERSION_WORD] = VERSION
        fence()
        segment.words[MAGIC] = PAIR_MAGIC
        # Touches every page: the first message into a new page would wait for it.
        for at in range(PAIR_DATA, segment.size, 4096):
            segment.bytes[at] = 0
        return segment, Semaphore(self._names.semaphore(name), True)

    def _announce(self):
        self._control.words[ARRIVALS] = (self._control.words[ARRIVALS] + 1) & 0xFFFFFFFF
        self._wake_server_anyway()

    def _await_admission(self, token):
        deadline = time.monotonic() + CONNECT_S
        word = FIRST_SLOT + self._slot
        while self._control.words[word] == token | READY:
            if time.monotonic() > deadline or not is_owned(self._control.descriptor):
                raise IpcError("IPC_PEER_LOST", "the server at %s accepted nobody" % self._names.name)
            self._rest(lambda: self._control.words[word] != token | READY, FOR_DATA)
        if self._control.words[word] != token | ACCEPTED:
            raise IpcError("IPC_PEER_LOST", "the server at %s refused this client" % self._names.name)

    def send(self, message):
        while not self._writer.try_write(message):
            self._waiting_bytes = len(message)
            self._rest(self._has_room, FOR_ROOM)
        self._wake_server(FOR_DATA)

    def _has_room(self):
        return self._writer.has_room(self._waiting_bytes)

    def receive(self):
        while True:
            message = self._reader.try_read()
            if self._reader.freed:
                self._reader.freed = False
                self._wake_server(FOR_ROOM + self._slot)
            if message is not None:
                return message
            self._rest(self._reader.is_ready, FOR_DATA)

    def _rest(self, is_ready, reason):
        """Announces the reason, checks once more, and sleeps (parker.ts). Then checks whether the server lives.

        Messages that the server wrote before it ended are still read.
        """
        self._words[CLIENT_REST] = reason
        fence()
        woken = is_ready() or self._semaphore.wait(SLICE_S)
        self._words[CLIENT_REST] = AWAKE
        is_gone = self._words[SERVER_CLOSED] or not (woken or is_owned(self._control.descriptor))
        if is_gone and not is_ready():
            raise EOFError("the server is gone")

    def _wake_server(self, reason):
        fence()
        if self._control.words[CONTROL_REST] == reason:
            self._wake_server_anyway()

    def _wake_server_anyway(self):
        """Wakes the server. Writes the word before it posts, so at worst the server wakes once too often."""
        if self._control.words[CONTROL_REST] != AWAKE:
            self._control.words[CONTROL_REST] = AWAKE
            self._server_semaphore.post()

    def close(self):
        self._words[CLIENT_CLOSED] = 1
        self._announce()


def claim_slot(words):
    """Returns a slot and the token that names this client in it."""
    token = random.randrange(1, 1 << 29) << 2
    for slot in range(MAX_CLIENTS):
        if words[FIRST_SLOT + slot] == 0:
            words[FIRST_SLOT + slot] = token | CLAIMED
            fence()
            if words[FIRST_SLOT + slot] == token | CLAIMED:
                return slot, token
    raise IpcError("IPC_TIMEOUT", "all places for clients are taken")


def connect(address, key):
    names = Names(address)
    path = names.path(names.name)
    if not os.path.exists(path):
        raise IpcError("IPC_PEER_LOST", "nobody listens at %s" % names.name)
    control = Segment(path)
    if control.words[MAGIC] != CONTROL_MAGIC or control.words[CONTROL_CLOSED] or not is_owned(control.descriptor):
        raise IpcError("IPC_PEER_LOST", "nobody listens at %s" % names.name)
    return RingClient(names, control)
