"""Server of a user: echoes frames over a Unix socket. A frame is its length (4 bytes, big-endian) and the body."""

import os
import signal
import socket
import struct
import sys
import threading


def read_exactly(connection, count):
    data = bytearray()
    while len(data) < count:
        piece = connection.recv(min(count - len(data), 1 << 20))
        if not piece:
            return None
        data += piece
    return data


def serve(connection):
    try:
        while (head := read_exactly(connection, 4)) is not None:
            body = read_exactly(connection, struct.unpack(">I", head)[0])
            if body is None:
                return
            connection.sendall(head + body)
    except ConnectionError:
        pass
    finally:
        connection.close()


def remove_stale(path):
    """Removes the socket of a killed server. The socket of a live server stays, so that binding fails."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        except FileNotFoundError:
            pass


path = sys.argv[1]
remove_stale(path)
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen(1024)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
try:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
finally:
    os.unlink(path)
