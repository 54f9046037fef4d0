"""Socket paths, which are private and taken over only from dead servers."""

import errno
import os
import socket
import stat
from contextlib import contextmanager

from failures import IpcError


def clear_stale(path):
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise IpcError("IPC_ADDRESS_IN_USE", "%s is not a socket" % path)
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        answer = probe.connect_ex(path)
    # Only these errors prove that nobody listens: a full backlog gives EAGAIN, and a server of another user EACCES.
    if answer not in (errno.ECONNREFUSED, errno.ENOENT):
        why = "a server is listening" if answer == 0 else "a server may be listening: " + os.strerror(answer)
        raise IpcError("IPC_ADDRESS_IN_USE", "%s: %s" % (path, why))
    remove(path)


def remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


@contextmanager
def private():
    """Gives everything that is created inside the block a mode for its owner only."""
    before = os.umask(0o177)
    try:
        yield
    finally:
        os.umask(before)


def host_and_port(name):
    host, port = name.rsplit(":", 1)
    if host != "127.0.0.1":
        raise IpcError("IPC_UNSUPPORTED", "%s is not 127.0.0.1:<port>" % name)
    return host, int(port)
