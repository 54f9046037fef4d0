"""`python-connection` and `python-connection/tcp`: the real multiprocessing.connection.Listener."""

import errno
import os
import socket
import struct
import threading
from multiprocessing import AuthenticationError, connection

from failures import MAX_MESSAGE_BYTES, IpcError
import paths

BACKLOG = 128
HANDSHAKE_S = 3
JOIN_S = 2.0


class CheckedConnection(connection.Connection):
    """Checks lengths. Python takes a negative one for an empty message, and goes on in the middle of the stream."""

    def _recv(self, size, *rest):
        if size < 0:
            raise OSError(errno.EBADMSG, "a message of negative length")
        return super()._recv(size, *rest)


class ListenerConnection:
    def __init__(self, server, program, conn):
        self._server = server
        self._program = program
        self._conn = conn
        # A second handle on the descriptor, for time limits and a half-close, which Connection does not offer.
        self._socket = socket.socket(server.family, socket.SOCK_STREAM, 0, fileno=os.dup(conn.fileno()))
        self._lock = threading.Lock()
        self._open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def send(self, message):
        with self._lock:
            if not self._open:
                return
            try:
                self._conn.send_bytes(message)
            except OSError:
                self._open = False

    def _serve(self):
        try:
            self._prove()
            self._program.opened(self)
            while True:
                self._program.message(self, self._conn.recv_bytes(MAX_MESSAGE_BYTES))
        except (EOFError, OSError, AuthenticationError, AssertionError):
            pass
        finally:
            with self._lock:
                self._open = False
            self._program.closed(self)
            self._server.connections.discard(self)
            self._conn.close()
            self._socket.close()

    def _prove(self):
        """Proves the key here and not in accept(), where one silent client would block all others."""
        key = self._server.key
        if key is None:
            return
        self._limit(HANDSHAKE_S)
        connection.deliver_challenge(self._conn, key)
        connection.answer_challenge(self._conn, key)
        self._limit(0)

    def _limit(self, seconds):
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self._socket.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", seconds, 0))

    def close(self):
        with self._lock:
            if self._open:
                self._open = False
                try:
                    self._socket.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
        self._thread.join(JOIN_S)


class ListenerServer:
    def __init__(self, address, family, key, listener, program):
        self.address = address
        self.family = family
        self.key = key
        self.connections = set()
        self._listener = listener
        self._program = program
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                conn = self._listener.accept()
            except (OSError, AttributeError):
                return
            if self.family == socket.AF_INET:
                no_delay(conn)
            # accept() cannot make an object of another class. The class set here differs in only one method.
            conn.__class__ = CheckedConnection
            self.connections.add(ListenerConnection(self, self._program, conn))

    def close(self):
        # Closing also removes the path. The thread in accept() stays until the process ends, which it does next.
        self._listener.close()
        for conn in list(self.connections):
            conn.close()


def no_delay(conn):
    """Turns Nagle off, which would delay the second write: a payload above 16 KiB is written apart from its header."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=os.dup(conn.fileno())) as handle:
        handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def listen(address, key, program):
    if key is not None and len(key) == 0:
        raise IpcError("IPC_AUTH_FAILED", "an empty key proves nothing")
    name = address["name"]
    if address["transport"] == "python-connection":
        paths.clear_stale(name)
        with paths.private():
            listener = connection.Listener(name, "AF_UNIX", BACKLOG)
        return ListenerServer(address, socket.AF_UNIX, key, listener, program)
    listener = connection.Listener(paths.host_and_port(name), "AF_INET", BACKLOG)
    bound = dict(address, name="127.0.0.1:%d" % listener.address[1])
    return ListenerServer(bound, socket.AF_INET, key, listener, program)


class ClientConnection:
    """The real multiprocessing.connection.Client."""

    def __init__(self, conn):
        self.send = conn.send_bytes
        self.receive = conn.recv_bytes
        self.close = conn.close


def connect(address, key):
    if address["transport"] == "python-connection":
        return ClientConnection(connection.Client(address["name"], "AF_UNIX", key))
    conn = connection.Client(paths.host_and_port(address["name"]), "AF_INET", key)
    no_delay(conn)
    return ClientConnection(conn)
