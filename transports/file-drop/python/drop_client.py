"""One client of a file drop at its server: the sending half of transports/file-drop/connection.ts."""

import os
import shutil
import threading
import time

from drop_envelope import encode
from failures import IpcError

WINDOW_FILES = 256
SEND_LIMIT_S = 5.0


class Client:
    """The connection of one mailbox."""

    def __init__(self, server, name):
        self._server = server
        self.name = name
        self.mailbox = os.path.join(server.folder.responses, name)
        self.next = None
        self.gap_since = None
        # True: an accepted message could not be written. The serving thread then ends the connection.
        self.broken = False
        self._open = True
        self._lock = threading.Lock()
        self._sent = 0
        self._waiting = []
        self._current = None
        self._answers = 0

    def begin(self, sequence, request_id):
        self._current = (sequence, request_id)
        self._answers = 0

    def finish(self):
        self._current = None

    def send(self, message):
        """Sends, from any thread. Returns False if that failed (a full disk, say): then the connection ends soon."""
        with self._lock:
            self._wait_for_room()
            if self.broken or not self._open:
                return False
            try:
                self._drop(message)
            except (OSError, IpcError):
                self.broken = True
            return not self.broken

    def _wait_for_room(self):
        deadline = time.monotonic() + SEND_LIMIT_S
        while self._open:
            while self._waiting and not os.path.exists(self._waiting[0]):
                self._waiting.pop(0)
            if len(self._waiting) < WINDOW_FILES or time.monotonic() > deadline:
                return
            time.sleep(0.001)

    def _drop(self, message):
        server = self._server
        if len(message) > server.max_bytes:
            raise IpcError("IPC_TOO_LARGE", "%d bytes exceed the limit of %d" % (len(message), server.max_bytes))
        # Only the thread that handles a request puts its number into the reply. A later reply has another thread.
        current = self._current if threading.current_thread() is server.thread else None
        serial = self._sent + 1
        answered = "" if current is None else ".a%010d-%04d" % (current[0], self._answers)
        kind = "bin" if server.raw else "json"
        path = os.path.join(self.mailbox, "%014d.%010d%s.%s" % (server.epoch, serial, answered, kind))
        reply_to = None if current is None else current[1]
        content = bytes(message) if server.raw else encode(message, self.name, serial, reply_to)
        try:
            server.folder.drop(path, content, server.fsync)
        except FileNotFoundError:
            if not os.path.exists(self.mailbox):
                # The client hung up; as with a socket, a message sent now is lost.
                return
            server.folder.make()
            server.folder.drop(path, content, server.fsync)
        # Counted only when the file exists: a number without a file is a gap, and the client ends the connection then.
        self._sent = serial
        if current is not None:
            self._answers += 1
        self._waiting.append(path)

    def drained(self):
        return not any(os.path.exists(path) for path in self._waiting)

    def end(self):
        """Removes the mailbox, which ends the client. No thread may write into it meanwhile, or it would stay."""
        self._open = False
        with self._lock:
            shutil.rmtree(self.mailbox, ignore_errors=True)
