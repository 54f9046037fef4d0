# SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
# Server in Python: `python3 server.py /run/user/1000/my.sock`. It writes its key to my.sock.key, mode 0600.
import contextlib
import os
import secrets
import signal
import sys
import threading
from multiprocessing import AuthenticationError
from multiprocessing.connection import Listener

MAX_BYTES = 1024 * 1024
place = sys.argv[1]
key = secrets.token_bytes(32)
os.umask(0o177)  # socket and key are made with mode 0600: only this user can use them


def answer(message):
    return message.decode().upper().encode()


def serve(connection):
    # Bytes only: recv() would decode a pickle, which can run any code that the sender wants.
    with connection, contextlib.suppress(EOFError, OSError):
        while True:
            connection.send_bytes(answer(connection.recv_bytes(MAX_BYTES)))  # a longer message ends the connection


def remove_stale():
    """Removes what a killed server left; start only one server at a path."""
    for path in (place, f"{place}.key"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def stop(*_):
    raise SystemExit


signal.signal(signal.SIGTERM, stop)
remove_stale()
with open(f"{place}.key", "xb") as file:
    file.write(key)
try:
    with Listener(place, authkey=key) as listener:
        print("ready", flush=True)
        while True:
            try:
                connection = listener.accept()  # a silent newcomer holds up the others here: trust who has the key
            except (AuthenticationError, EOFError, OSError) as error:
                print(f"refused: {error}", file=sys.stderr)
                continue
            threading.Thread(target=serve, args=[connection], daemon=True).start()
except KeyboardInterrupt:
    pass
finally:
    remove_stale()
