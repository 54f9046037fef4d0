# SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
# Server in Python for the same client: `python3 server.py /run/user/1000/my.sock`. A number is a port of 127.0.0.1.
import contextlib
import os
import signal
import socket
import sys
import threading

MAX_BYTES = 1024 * 1024  # the limit of frames.mjs
place = sys.argv[1] if len(sys.argv) > 1 else "my.sock"
is_port = place.isdigit()
free = threading.Semaphore(64)  # one for each client that may be connected


def answer(message):
    return message.decode(errors="replace").upper().encode()


def serve(connection):
    try:
        with connection, connection.makefile("rb") as stream:
            while head := stream.read(4):
                length = int.from_bytes(head, "little")
                if length > MAX_BYTES:
                    raise ValueError(f"a message of {length} bytes; the limit is {MAX_BYTES}")
                message = stream.read(length)
                if len(head) + len(message) < 4 + length:
                    raise EOFError("the stream ended inside a message")
                reply = answer(message)
                connection.sendall(len(reply).to_bytes(4, "little") + reply)
    except (OSError, EOFError, ValueError) as error:
        print(f"a connection ended: {error}", file=sys.stderr)
    finally:
        free.release()


def remove_stale():
    """Removes the socket that a killed server left. A live server is not disturbed: then `bind` fails below."""
    with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(FileNotFoundError):
        try:
            probe.connect(place)
        except ConnectionRefusedError:
            os.unlink(place)


signal.signal(signal.SIGTERM, lambda *_: sys.exit())
os.umask(0o177)  # the socket is made with mode 0600: only this user can connect
if not is_port:
    remove_stale()
family, address = (socket.AF_INET, ("127.0.0.1", int(place))) if is_port else (socket.AF_UNIX, place)
with socket.create_server(address, family=family) as listener, contextlib.ExitStack() as at_end:
    if not is_port:
        at_end.callback(os.unlink, place)
    print("ready", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        while free.acquire():  # the next client waits until there is room
            connection, _ = listener.accept()
            connection.settimeout(60)  # ends those of clients that stopped in the middle of a message
            threading.Thread(target=serve, args=[connection], daemon=True).start()
