"""`fifo`: one hello FIFO, and a pair for each client, as in transports/pipes/fifo-names.ts and fifo-server.ts."""

import errno
import os
import re
import stat
import threading

from failures import IpcError
from streams import StreamClient, StreamConnection

MAX_CLIENTS = 64
ACCEPTED, FULL = b"\x01", b"\x02"
HELLO = re.compile(rb"^hello (\d{1,3})$")


def is_fifo(path):
    try:
        return stat.S_ISFIFO(os.lstat(path).st_mode)
    except FileNotFoundError:
        return None


def open_now(path, access):
    """Opens a FIFO without waiting for its other end, then makes it blocking. Returns None if that end is closed."""
    if not is_fifo(path):
        return None
    try:
        descriptor = os.open(path, access | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.ENOENT):
            return None
        raise
    os.set_blocking(descriptor, True)
    return descriptor


def remove_fifo(path):
    if is_fifo(path):
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass


def remove_slot(hello, slot):
    folder = "%s.%d" % (hello, slot)
    remove_fifo(folder + "/up")
    remove_fifo(folder + "/down")
    try:
        os.rmdir(folder)
    except OSError:
        pass


def remove_all(hello):
    for slot in range(MAX_CLIENTS):
        remove_slot(hello, slot)
    remove_fifo(hello)


def write_all(descriptor, data):
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view):]


class FifoServer:
    def __init__(self, address, descriptor, program):
        self.address = address
        self._hello = descriptor
        self._program = program
        self._connections = set()
        self._open = True
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        rest = b""
        while self._open:
            lines = (rest + os.read(self._hello, 4096)).split(b"\n")
            rest = lines.pop()[-64:]
            for line in lines:
                found = HELLO.match(line)
                if found and int(found.group(1)) < MAX_CLIENTS and self._open:
                    self._accept(int(found.group(1)))

    def _accept(self, slot):
        folder = "%s.%d" % (self.address["name"], slot)
        source = open_now(folder + "/up", os.O_RDONLY)
        target = open_now(folder + "/down", os.O_WRONLY)
        remove_slot(self.address["name"], slot)
        if source is None or target is None or len(self._connections) >= MAX_CLIENTS:
            if target is not None and source is not None:
                write_all(target, FULL)
            for descriptor in (source, target):
                if descriptor is not None:
                    os.close(descriptor)
            return
        write_all(target, ACCEPTED)
        self._serve(source, target)

    def _serve(self, source, target):
        ends = [source, target]
        lock = threading.Lock()

        def close_end(descriptor):
            with lock:
                if descriptor in ends:
                    ends.remove(descriptor)
                    os.close(descriptor)

        def release(connection):
            self._connections.discard(connection)
            close_end(source)
            close_end(target)

        connection = StreamConnection(
            self._program,
            lambda size: os.read(source, size),
            lambda data: write_all(target, data),
            lambda: close_end(target),
            release,
        )
        self._connections.add(connection)
        connection.start()

    def close(self):
        self._open = False
        remove_all(self.address["name"])
        # Wakes the thread that reads.
        os.write(self._hello, b"\n")
        for connection in list(self._connections):
            connection.close()


def listen(address, key, program):
    hello = address["name"]
    if is_fifo(hello) is False:
        raise IpcError("IPC_ADDRESS_IN_USE", "%s is not a FIFO" % hello)
    if is_fifo(hello):
        reader = open_now(hello, os.O_WRONLY)
        if reader is not None:
            os.close(reader)
            raise IpcError("IPC_ADDRESS_IN_USE", "a server is listening at %s" % hello)
        remove_all(hello)
    os.mkfifo(hello, 0o600)
    return FifoServer(address, os.open(hello, os.O_RDWR), program)


def connect(address, key):
    hello = address["name"]
    server = open_now(hello, os.O_WRONLY)
    if server is None:
        raise IpcError("IPC_PEER_LOST", "nobody listens at %s" % hello)
    slot = claim_slot(hello)
    up, down = ["%s.%d/%s" % (hello, slot, name) for name in ("up", "down")]
    for path in (up, down):
        os.mkfifo(path, 0o600)
    # These keep the FIFOs alive until the server has opened its ends. Later they would hide the death of the server.
    keepers = [os.open(path, os.O_RDWR) for path in (up, down)]
    target, source = open_now(up, os.O_WRONLY), open_now(down, os.O_RDONLY)
    write_all(server, b"\nhello %d\n" % slot)
    welcome = os.read(source, 1)
    for descriptor in [server] + keepers:
        os.close(descriptor)
    if welcome != ACCEPTED:
        raise IpcError("IPC_PEER_LOST", "the server has no free place for a client")

    def close():
        os.close(target)
        os.close(source)

    return StreamClient(lambda size: os.read(source, size), lambda data: write_all(target, data), close)


def claim_slot(hello):
    """Claims the lowest free slot; `mkdir` succeeds for one client only."""
    for slot in range(MAX_CLIENTS):
        try:
            os.mkdir("%s.%d" % (hello, slot), 0o700)
            return slot
        except FileExistsError:
            pass
    raise IpcError("IPC_SYSTEM", "all slots for newcomers at %s are taken" % hello)
