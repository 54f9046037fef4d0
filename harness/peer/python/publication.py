"""One-way messages from the server to its clients. Counterpart of harness/peer/publisher.ts."""

import os
import threading
import zlib

import frame
from stream_counter import now_ns

# Different bodies take turns, so that a transport which repeats one is found.
VARIANTS = 4
# Time without progress after which the subscribers count as stuck.
STUCK_S = 5.0


class Publication:
    """Sends the same messages to each connection. Sending may wait, so each connection proceeds on its own."""

    def __init__(self, connections, messages, payload_bytes):
        self._connections = connections
        self._count = messages
        bodies = [os.urandom(payload_bytes) for _ in range(VARIANTS)]
        self._bodies = [(body, zlib.crc32(body)) for body in bodies]
        self._started_ns = None
        self._sent = 0
        self._unfinished = len(connections)
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._problem = None

    def run(self, later):
        """Publishes, and returns the answer. `later(connection, delay_s, action)` acts in the connection's thread."""
        for connection in self._connections:
            later(connection, 0, lambda target=connection: self._send_all(target))
        answer = {"type": "published"}
        before = -1
        while self._connections and not self._done.wait(STUCK_S):
            if self._sent == before:
                answer["problem"] = "a subscriber read nothing for %d s" % STUCK_S
                break
            before = self._sent
        if self._problem is not None:
            answer["problem"] = self._problem
        answer["startedNs"] = str(self._started_ns or now_ns())
        return answer

    def _send_all(self, connection):
        with self._lock:
            self._started_ns = self._started_ns or now_ns()
        for number in range(self._count):
            # False: the client did not read in time. The other connections go on, and this one gets no more messages.
            if connection.send(self._message(number)) is False:
                self._problem = "a subscriber read nothing"
                break
            self._sent += 1
        with self._lock:
            self._unfinished -= 1
            if self._unfinished == 0:
                self._done.set()

    def _message(self, number):
        body, crc = self._bodies[number % VARIANTS]
        method = frame.STREAM_LAST if number == self._count - 1 else 0
        return frame.HEADER.pack(number, frame.ONE_WAY, method, 0, len(body), frame.bind_checksum(crc, number)) + body
