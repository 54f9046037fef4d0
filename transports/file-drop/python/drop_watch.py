"""Wakes one side of a file drop when a file arrives, as in transports/file-drop/wake.ts."""

import ctypes
import os
import select
import time

RESCAN_S = 0.25


class Poll:
    def __init__(self, interval_s):
        self._interval_s = interval_s

    def wait(self):
        time.sleep(self._interval_s)

    def close(self):
        pass


class Inotify:
    """inotify(7) by ctypes, since the standard library has no watcher. Reports files renamed into `incoming`."""

    IN_CREATE, IN_MOVED_TO, IN_DELETE = 0x100, 0x80, 0x200

    def __init__(self, incoming, mailboxes=None):
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        watches = [(incoming, self.IN_MOVED_TO)]
        if mailboxes is not None:
            watches.append((mailboxes, self.IN_CREATE | self.IN_DELETE))
        for path, mask in watches:
            if self._descriptor < 0 or libc.inotify_add_watch(self._descriptor, os.fsencode(path), mask) < 0:
                error = OSError(ctypes.get_errno(), "inotify on %s" % path)
                self.close()
                raise error

    def wait(self):
        if select.select([self._descriptor], [], [], RESCAN_S)[0]:
            try:
                os.read(self._descriptor, 65536)
            except BlockingIOError:
                pass

    def close(self):
        if self._descriptor >= 0:
            os.close(self._descriptor)
