"""`file-drop/watch` and `file-drop/poll`: the server of transports/file-drop, see its README for what is on disk."""

import base64
import ctypes
import itertools
import json
import os
import re
import select
import shutil
import threading
import time
import uuid

from failures import MAX_MESSAGE_BYTES, IpcError

REQUEST = re.compile(r"^([A-Za-z0-9-]{1,64})\.(\d{10})\.(json|bin)$")
CLIENT = re.compile(r"^[A-Za-z0-9-]{1,64}$")
WINDOW_FILES = 256
RESCAN_S = 0.25
GAP_LIMIT_S = 2.0
SEND_LIMIT_S = 5.0
JOIN_S = 2.0


class Folder:
    def __init__(self, base):
        self.base = base
        self.temporary = os.path.join(base, "temporary")
        self.requests = os.path.join(base, "requests")
        self.responses = os.path.join(base, "responses")
        self.owner = os.path.join(base, "server.json")
        self._serial = itertools.count()

    def make(self):
        # Each by itself: the mode given to makedirs holds for the last folder of a path alone.
        for path in (self.base, self.temporary, self.requests, self.responses):
            os.makedirs(path, 0o700, exist_ok=True)

    def drop(self, target, content, fsync):
        """Whole or not at all."""
        path = os.path.join(self.temporary, "%d-%d-%d" % (os.getpid(), time.time() * 1e9, next(self._serial)))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                if fsync:
                    os.fsync(file.fileno())
            os.rename(path, target)
        except OSError:
            remove(path)
            raise

    def remove_empty(self):
        for path in (self.temporary, self.requests, self.responses, self.base):
            try:
                os.rmdir(path)
            except OSError:
                pass


def remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def names_in(path):
    try:
        return os.listdir(path)
    except FileNotFoundError:
        return []


def start_time(pid):
    """State and start of a process as /proc tells them; transports/file-drop/owner.ts."""
    try:
        with open("/proc/%d/stat" % pid, encoding="latin1") as status:
            fields = status.read().rpartition(")")[2].split()
        return fields[0], fields[19]
    except (OSError, IndexError):
        return None, None


def is_alive(owner):
    try:
        os.kill(owner["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    state, started = start_time(owner["pid"])
    return started is None or (started == owner.get("startTime") and state not in ("Z", "X"))


def take_ownership(folder):
    epoch = int(time.time() * 1000)
    try:
        with open(folder.owner) as file:
            found = json.load(file)
        if is_alive(found):
            raise IpcError("IPC_ADDRESS_IN_USE", "process %d serves %s" % (found["pid"], folder.base))
        epoch = max(epoch, found["epoch"] + 1)
        remove(folder.owner)
        for name in names_in(folder.temporary):
            if name.startswith("%d-" % found["pid"]):
                remove(os.path.join(folder.temporary, name))
    except FileNotFoundError:
        pass
    descriptor = os.open(folder.owner, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"pid": os.getpid(), "startTime": start_time(os.getpid())[1], "epoch": epoch}, file)
    return epoch


class Poll:
    def __init__(self, interval_s):
        self._interval_s = interval_s

    def wait(self):
        time.sleep(self._interval_s)


class Inotify:
    """inotify(7) by ctypes; the standard library has no watcher."""

    IN_CREATE, IN_MOVED_TO, IN_DELETE = 0x100, 0x80, 0x200

    def __init__(self, folder):
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        watches = [(folder.requests, self.IN_MOVED_TO), (folder.responses, self.IN_CREATE | self.IN_DELETE)]
        for path, mask in watches:
            if self._descriptor < 0 or libc.inotify_add_watch(self._descriptor, os.fsencode(path), mask) < 0:
                raise OSError(ctypes.get_errno(), "inotify on %s" % path)

    def wait(self):
        if select.select([self._descriptor], [], [], RESCAN_S)[0]:
            try:
                os.read(self._descriptor, 65536)
            except BlockingIOError:
                pass


class Client:
    """The connection of one mailbox."""

    def __init__(self, server, name):
        self._server = server
        self.name = name
        self.mailbox = os.path.join(server.folder.responses, name)
        self.next = None
        self.gap_since = None
        self._lock = threading.Lock()
        self._sent = 0
        self._waiting = []
        self._current = None
        self._answers = 0

    def begin(self, sequence, request_id):
        self._current = (sequence, request_id)
        self._answers = 0

    def end(self):
        self._current = None

    def send(self, message):
        with self._lock:
            self._wait_for_room()
            self._drop(message)

    def _wait_for_room(self):
        deadline = time.monotonic() + SEND_LIMIT_S
        while True:
            while self._waiting and not os.path.exists(self._waiting[0]):
                self._waiting.pop(0)
            if len(self._waiting) < WINDOW_FILES or time.monotonic() > deadline:
                return
            time.sleep(0.001)

    def _drop(self, message):
        server = self._server
        # Only the thread that handles a request answers it in its name; a later answer comes from another thread.
        current = self._current if threading.current_thread() is server.thread else None
        self._sent += 1
        answered = ""
        if current is not None:
            answered = ".a%010d-%04d" % (current[0], self._answers)
            self._answers += 1
        kind = "bin" if server.raw else "json"
        path = os.path.join(self.mailbox, "%014d.%010d%s.%s" % (server.epoch, self._sent, answered, kind))
        content = bytes(message) if server.raw else self._envelope(message, current)
        try:
            server.folder.drop(path, content, server.fsync)
            self._waiting.append(path)
        except FileNotFoundError:
            self._sent -= 1

    def _envelope(self, message, current):
        envelope = {"id": str(uuid.uuid4()), "client": self.name, "sequence": self._sent}
        if current is not None and current[1] is not None:
            envelope["replyTo"] = current[1]
        try:
            envelope["text"] = bytes(message).decode("utf-8")
        except UnicodeDecodeError:
            envelope["base64"] = base64.b64encode(message).decode("ascii")
        return (json.dumps(envelope) + "\n").encode()

    def drained(self):
        return not any(os.path.exists(path) for path in self._waiting)


class FileServer:
    def __init__(self, address, folder, epoch, program):
        options = address.get("options") or {}
        self.address = address
        self.folder = folder
        self.epoch = epoch
        self.raw = options.get("raw") is True
        self.fsync = options.get("fsync") is True
        self._program = program
        self._clients = {}
        self._open = True
        polls = address["transport"] == "file-drop/poll"
        self._wake = Poll(options.get("pollMs", 5) / 1000) if polls else Inotify(folder)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while self._open:
            self._look()
            self._wake.wait()

    def _look(self):
        self.folder.make()
        mailboxes = set(name for name in names_in(self.folder.responses) if CLIENT.match(name))
        requests = self._list()
        for name in sorted(mailboxes.union(requests)):
            client = self._clients.get(name)
            if client is None:
                client = self._clients[name] = Client(self, name)
                self._program.opened(client)
            if name in requests:
                self._handle(client, requests[name])
        for name in set(self._clients) - set(names_in(self.folder.responses)):
            self._forget(self._clients[name])

    def _list(self):
        found = {}
        for file in names_in(self.folder.requests):
            match = REQUEST.match(file)
            if match:
                found.setdefault(match.group(1), {})[int(match.group(2))] = file
        return found

    def _handle(self, client, files):
        if client.next is None:
            # A listing taken during renames may miss an older file; one begun after a file was seen does not.
            files = self._list().get(client.name, files)
            client.next = min(files)
        for sequence in sorted(files):
            if sequence < client.next:
                remove(os.path.join(self.folder.requests, files[sequence]))
        while client.next in files and self._open:
            client.gap_since = None
            path = os.path.join(self.folder.requests, files[client.next])
            try:
                request_id, body = self._read(path, client)
            except (OSError, ValueError, KeyError, TypeError, IpcError):
                self._forget(client)
                return
            client.begin(client.next, request_id)
            self._program.message(client, body)
            client.end()
            remove(path)
            client.next += 1
        if any(sequence > client.next for sequence in files):
            client.gap_since = client.gap_since or time.monotonic()
            if time.monotonic() - client.gap_since > GAP_LIMIT_S:
                self._forget(client)

    def _read(self, path, client):
        if os.path.getsize(path) > MAX_MESSAGE_BYTES * 6 + 1024:
            raise IpcError("IPC_TOO_LARGE", path)
        with open(path, "rb") as file:
            content = file.read()
        if path.endswith(".bin"):
            return None, content
        envelope = json.loads(content.decode("utf-8"))
        if envelope["client"] != client.name or envelope["sequence"] != client.next or ("text" in envelope) == ("base64" in envelope):
            raise IpcError("IPC_MALFORMED", path)
        if "text" in envelope:
            return envelope["id"], envelope["text"].encode("utf-8")
        return envelope["id"], base64.b64decode(envelope["base64"], validate=True)

    def _forget(self, client):
        self._clients.pop(client.name, None)
        self._program.closed(client)
        shutil.rmtree(client.mailbox, ignore_errors=True)
        for file in self._list().get(client.name, {}).values():
            remove(os.path.join(self.folder.requests, file))

    def close(self):
        self._open = False
        self.thread.join(JOIN_S)
        deadline = time.monotonic() + JOIN_S
        while time.monotonic() < deadline:
            if all(client.drained() for client in list(self._clients.values())):
                break
            time.sleep(0.002)
        for client in list(self._clients.values()):
            self._forget(client)
        remove(self.folder.owner)
        self.folder.remove_empty()


def listen(address, key, program):
    folder = Folder(address["name"])
    if os.path.lexists(folder.base) and not os.path.isdir(folder.base):
        raise IpcError("IPC_ADDRESS_IN_USE", "%s is not a folder" % folder.base)
    folder.make()
    epoch = take_ownership(folder)
    folder.make()
    return FileServer(address, folder, epoch, program)
