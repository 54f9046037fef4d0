"""`unix` and `tcp`."""

import socket
import threading

import paths
from streams import StreamClient, StreamConnection

BACKLOG = 1024


class SocketServer:
    def __init__(self, listener, address, path, program):
        self.address = address
        self._listener = listener
        self._path = path
        self._program = program
        self._connections = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._path is None:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._serve(client)

    def _serve(self, client):
        def release(connection):
            self._connections.discard(connection)
            client.close()

        connection = StreamConnection(
            self._program, client.recv, client.sendall, lambda: client.shutdown(socket.SHUT_WR), release
        )
        self._connections.add(connection)
        connection.start()

    def close(self):
        # Wakes the thread that waits in accept().
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        if self._path is not None:
            paths.remove(self._path)
        for connection in list(self._connections):
            connection.close()


def listen(address, key, program):
    path = None
    if address["transport"] in ("unix", "local-socket"):
        path = address["name"]
        paths.clear_stale(path)
        listener = socket.socket(socket.AF_UNIX)
        with paths.private():
            listener.bind(path)
    else:
        listener = socket.socket(socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(paths.host_and_port(address["name"]))
        address = dict(address, name="127.0.0.1:%d" % listener.getsockname()[1])
    listener.listen(BACKLOG)
    return SocketServer(listener, address, path, program)


def connect(address, key):
    if address["transport"] in ("unix", "local-socket"):
        client = socket.socket(socket.AF_UNIX)
        client.connect(address["name"])
    else:
        client = socket.create_connection(paths.host_and_port(address["name"]))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return StreamClient(client.recv, client.sendall, client.close)
