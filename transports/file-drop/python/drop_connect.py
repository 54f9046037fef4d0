"""Client of a file drop: makes a mailbox, drops requests, takes the answers in order. client.ts has the rules."""

import os
import re
import shutil
import time
import uuid

from drop_envelope import decode, encode
from drop_folder import Folder, has_living_owner, names_in, number, read_whole, remove
from drop_watch import Inotify, Poll
from failures import MAX_MESSAGE_BYTES, IpcError

ANSWER = re.compile(r"^(\d{14})\.(\d{10})(?:\.a\d{10}-\d{4})?\.(json|bin)$")
WINDOW_FILES = 256


class DropClient:
    def __init__(self, address):
        options = address.get("options") or {}
        self._folder = Folder(address["name"])
        if not has_living_owner(self._folder):
            raise IpcError("IPC_PEER_LOST", "nobody serves %s" % address["name"])
        self._name = str(uuid.uuid4())
        self._mailbox = os.path.join(self._folder.responses, self._name)
        os.mkdir(self._mailbox, 0o700)
        self._raw = options.get("raw") is True
        self._fsync = options.get("fsync") is True
        self._limit = number(options, "maxMessageBytes", MAX_MESSAGE_BYTES) * 6 + 1024
        self._touch_s = number(options, "ttlMs", 60000) / 4000
        polls = address["transport"] == "file-drop/poll"
        self._wake = Poll(number(options, "pollMs", 5) / 1000) if polls else Inotify(self._mailbox)
        self._touched = time.monotonic()
        self._sent = 0
        self._waiting = []

    def send(self, message):
        while len(self._waiting) >= WINDOW_FILES:
            while self._waiting and not os.path.exists(self._waiting[0]):
                self._waiting.pop(0)
            if len(self._waiting) >= WINDOW_FILES:
                self._touch()
                time.sleep(0.001)
        self._sent += 1
        kind = "bin" if self._raw else "json"
        path = os.path.join(self._folder.requests, "%s.%010d.%s" % (self._name, self._sent, kind))
        content = bytes(message) if self._raw else encode(message, self._name, self._sent)
        self._folder.drop(path, content, self._fsync)
        self._waiting.append(path)

    def receive(self):
        while True:
            answers = sorted(name for name in names_in(self._mailbox) if ANSWER.match(name))
            if answers:
                return self._take(answers[0])
            if not os.path.isdir(self._mailbox):
                raise EOFError("the server ended the connection")
            self._touch()
            self._wake.wait()

    def _take(self, name):
        path = os.path.join(self._mailbox, name)
        content = read_whole(path, self._limit)
        serial = int(ANSWER.match(name).group(2))
        body = content if name.endswith(".bin") else decode(content, self._name, serial, path)[1]
        remove(path)
        # An answer shows that its request was taken.
        self._waiting = [each for each in self._waiting[-WINDOW_FILES:] if os.path.exists(each)]
        return body

    def _touch(self):
        """Shows that this client lives."""
        now = time.monotonic()
        if now - self._touched > self._touch_s:
            self._touched = now
            os.utime(self._mailbox)

    def close(self):
        self._wake.close()
        shutil.rmtree(self._mailbox, ignore_errors=True)


def connect(address, key):
    return DropClient(address)
