"""`file-drop/watch` and `file-drop/poll`: the server of transports/file-drop; its README describes the files."""

import os
import sys
import threading
import time
import traceback

from failures import MAX_MESSAGE_BYTES, IpcError
from drop_client import Client
from drop_envelope import decode
from drop_folder import (
    REQUEST,
    Folder,
    has_living_owner,
    names_in,
    number,
    read_whole,
    remove,
    remove_anything,
    take_ownership,
)
from drop_watch import Inotify, Poll

GAP_LIMIT_S = 2.0
JOIN_S = 2.0


class FileServer:
    def __init__(self, address, folder, epoch, program):
        options = address.get("options") or {}
        self.address = address
        self.folder = folder
        self.epoch = epoch
        self.raw = options.get("raw") is True
        self.fsync = options.get("fsync") is True
        self.max_bytes = number(options, "maxMessageBytes", MAX_MESSAGE_BYTES)
        self._ttl_s = number(options, "ttlMs", 60000) / 1000
        self._program = program
        self._clients = {}
        # Requests that could not be removed. They are skipped, since each look would make a new connection for them.
        self._stuck = set()
        self._open = True
        polls = address["transport"] == "file-drop/poll"
        self._wake = Poll(number(options, "pollMs", 5) / 1000) if polls else Inotify(folder.requests, folder.responses)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        sweep_at = time.monotonic() + self._ttl_s / 4
        try:
            while self._open:
                self._look()
                if time.monotonic() >= sweep_at:
                    self._sweep()
                    sweep_at = time.monotonic() + self._ttl_s / 4
                self._wake.wait()
        except Exception:
            if not self._open:
                return
            # Ends the process, as Node does. Otherwise it would own the drop, and its clients would wait for ever.
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)

    def _look(self):
        self.folder.make()
        mailboxes = set(self.folder.mailboxes())
        requests = self._list()
        for name in sorted(mailboxes.union(requests)):
            client = self._clients.get(name)
            if client is None:
                client = self._clients[name] = Client(self, name)
                self._program.opened(client)
            if name in requests:
                self._handle(client, requests[name])
        left = set(names_in(self.folder.responses))
        for client in list(self._clients.values()):
            if client.broken or client.name not in left:
                self._forget(client)

    def _sweep(self):
        for name in self.folder.sweep(self._ttl_s):
            if name in self._clients:
                self._forget(self._clients[name])

    def _list(self):
        found = {}
        files = names_in(self.folder.requests)
        self._stuck.intersection_update(files)
        for file in files:
            match = REQUEST.match(file)
            if match and file not in self._stuck:
                found.setdefault(match.group(1), {})[int(match.group(2))] = file
        return found

    def _handle(self, client, files):
        if client.next is None:
            # A listing that is taken during renames may miss an older file. A second one, begun now, does not.
            files = self._list().get(client.name, files)
            client.next = min(files)
        for sequence in sorted(files):
            if sequence < client.next:
                remove_anything(os.path.join(self.folder.requests, files[sequence]))
        while client.next in files and self._open:
            client.gap_since = None
            if not self._take(client, os.path.join(self.folder.requests, files[client.next])):
                self._forget(client)
                return
            client.next += 1
        if any(sequence > client.next for sequence in files):
            client.gap_since = client.gap_since or time.monotonic()
            if time.monotonic() - client.gap_since > GAP_LIMIT_S:
                self._forget(client)

    def _take(self, client, path):
        """Handles a file. Returns False, which ends its client, if it is no message or the reply or removal failed."""
        try:
            request_id, body = self._read(path, client)
        except (OSError, ValueError, KeyError, TypeError, RecursionError, IpcError):
            return False
        client.begin(client.next, request_id)
        try:
            self._program.message(client, body)
            # The file is removed after the reply, so that a successor can still reply if this process dies.
            if not client.broken:
                remove(path)
        except OSError:
            return False
        except Exception:
            traceback.print_exc()
            return False
        finally:
            client.finish()
        return not client.broken

    def _read(self, path, client):
        raw = path.endswith(".bin")
        content = read_whole(path, self.max_bytes if raw else self.max_bytes * 6 + 1024)
        request_id, body = (None, content) if raw else decode(content, client.name, client.next, path)
        if len(body) > self.max_bytes:
            raise IpcError("IPC_TOO_LARGE", "%s holds %d bytes" % (path, len(body)))
        return request_id, body

    def _forget(self, client):
        self._clients.pop(client.name, None)
        self._program.closed(client)
        client.end()
        for file in self._list().get(client.name, {}).values():
            if not remove_anything(os.path.join(self.folder.requests, file)):
                self._stuck.add(file)

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
        if not self.thread.is_alive():
            self._wake.close()
        remove(self.folder.owner)
        self.folder.remove_empty()


def listen(address, key, program):
    folder = Folder(address["name"])
    if os.path.lexists(folder.base) and not os.path.isdir(folder.base):
        raise IpcError("IPC_ADDRESS_IN_USE", "%s is not a folder; choose another path or remove it" % folder.base)
    epoch = None
    try:
        folder.make()
        epoch = take_ownership(folder)
        folder.make()
        return FileServer(address, folder, epoch, program)
    except Exception:
        # Removes everything of a server that failed to start, and nothing of another server.
        if epoch is not None:
            remove(folder.owner)
        if not has_living_owner(folder):
            folder.remove_empty()
        raise
