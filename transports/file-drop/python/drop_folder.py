"""The folders and the owner of one drop, as in transports/file-drop/files.ts, owner.ts and sweeper.ts."""

import itertools
import json
import os
import re
import shutil
import stat
import time

from failures import IpcError

REQUEST = re.compile(r"^([A-Za-z0-9-]{1,64})\.(\d{10})\.(json|bin)$")
CLIENT = re.compile(r"^[A-Za-z0-9-]{1,64}$")
# Longest time between creating and writing the mark of a server. Meanwhile the mark is empty.
WRITING_S = 0.5


def number(options, name, otherwise):
    value = options.get(name)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0 else otherwise


class Folder:
    def __init__(self, base):
        self.base = base
        self.temporary = os.path.join(base, "temporary")
        self.requests = os.path.join(base, "requests")
        self.responses = os.path.join(base, "responses")
        self.owner = os.path.join(base, "server.json")
        self._serial = itertools.count()

    def make(self):
        # One by one, because makedirs uses the given mode only for the last folder of a path.
        for path in (self.base, self.temporary, self.requests, self.responses):
            os.makedirs(path, 0o700, exist_ok=True)

    def drop(self, target, content, fsync):
        """Writes a file whole or not at all."""
        path = os.path.join(self.temporary, "%d-%d-%d" % (os.getpid(), time.time() * 1e9, next(self._serial)))
        try:
            write_new(path, content, fsync)
            os.rename(path, target)
        except OSError:
            remove(path)
            raise
        if fsync:
            sync_folder(os.path.dirname(target))

    def remove_empty(self):
        for path in (self.temporary, self.requests, self.responses, self.base):
            try:
                os.rmdir(path)
            except OSError:
                pass

    def mailboxes(self):
        return [name for name in names_in(self.responses) if CLIENT.match(name)]

    def sweep(self, ttl_s):
        """Removes files of crashed processes. Returns the clients that gave no sign of life for the time to live."""
        now = time.time()
        for name in names_in(self.temporary):
            path = os.path.join(self.temporary, name)
            if is_old(path, now, ttl_s):
                remove_anything(path)
        mailboxes = self.mailboxes()
        for name in names_in(self.requests):
            match = REQUEST.match(name)
            path = os.path.join(self.requests, name)
            if match and match.group(1) not in mailboxes and is_old(path, now, ttl_s):
                remove_anything(path)
        return [name for name in mailboxes if is_old(os.path.join(self.responses, name), now, ttl_s)]


def write_new(path, content, fsync=False):
    """Writes a new file; removes it when that fails."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if fsync:
                os.fsync(file.fileno())
    except OSError:
        remove(path)
        raise


def sync_folder(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_whole(path, limit_bytes):
    """Reads a regular file. Uses O_NONBLOCK, because opening a FIFO could wait for its writer for ever."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise IpcError("IPC_MALFORMED", "%s is not a file" % path)
        if status.st_size > limit_bytes:
            raise IpcError("IPC_TOO_LARGE", "%s has %d bytes" % (path, status.st_size))
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def remove_anything(path):
    """Removes a file, or a folder that has its name. Returns False if it cannot be removed."""
    try:
        remove(path)
    except OSError:
        shutil.rmtree(path, ignore_errors=True)
    return not os.path.lexists(path)


def names_in(path):
    try:
        return os.listdir(path)
    except FileNotFoundError:
        return []


def is_old(path, now, ttl_s):
    try:
        return now - os.lstat(path).st_mtime > ttl_s
    except OSError:
        return False


def start_time(pid):
    """Returns state and start time of a process from /proc."""
    try:
        with open("/proc/%d/stat" % pid, encoding="latin1") as status:
            fields = status.read().rpartition(")")[2].split()
        return fields[0], fields[19]
    except (OSError, IndexError):
        return None, None


def is_alive(owner):
    if owner["pid"] <= 0:
        return False
    try:
        os.kill(owner["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    state, started = start_time(owner["pid"])
    if started is None or owner.get("startTime") is None:
        return True
    return started == owner["startTime"] and state not in ("Z", "X")


def read_owner(folder):
    """Returns the owner, or None. A mark that stays unreadable counts as that of a dead server."""
    deadline = time.monotonic() + WRITING_S
    while True:
        try:
            with open(folder.owner, encoding="utf-8") as file:
                found = json.load(file)
            if isinstance(found["pid"], int) and isinstance(found["epoch"], int):
                return found
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            pass
        if time.monotonic() > deadline:
            return {"pid": 0, "startTime": None, "epoch": 0}
        time.sleep(0.02)


def take_ownership(folder):
    epoch = int(time.time() * 1000)
    found = read_owner(folder)
    if found is not None:
        if is_alive(found):
            raise IpcError("IPC_ADDRESS_IN_USE", "process %d serves %s" % (found["pid"], folder.base))
        epoch = max(epoch, found["epoch"] + 1)
        remove(folder.owner)
        for name in names_in(folder.temporary):
            if name.startswith("%d-" % found["pid"]):
                remove_anything(os.path.join(folder.temporary, name))
    mark = {"pid": os.getpid(), "startTime": start_time(os.getpid())[1], "epoch": epoch}
    write_new(folder.owner, (json.dumps(mark) + "\n").encode("utf-8"))
    return epoch


def has_living_owner(folder):
    try:
        with open(folder.owner, encoding="utf-8") as file:
            return is_alive(json.load(file))
    except (OSError, ValueError, KeyError, TypeError):
        return False
