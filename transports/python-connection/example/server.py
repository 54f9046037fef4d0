import sys
from multiprocessing.connection import Listener

with Listener(sys.argv[1], authkey=b"a shared secret") as listener:
    print("listening", flush=True)
    with listener.accept() as connection:
        try:
            while True:
                connection.send_bytes(connection.recv_bytes().upper())
        except EOFError:
            pass
