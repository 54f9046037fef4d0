"""The Python half of each mechanism, and the choice of an interpreter that has its module."""

import importlib
import os
import platform
import subprocess
import sys

TRANSPORTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "transports")
sys.path.insert(1, os.path.join(TRANSPORTS, "support", "python"))

from failures import IpcError  # noqa: E402

# Folder of each mechanism below transports, and its module in `python` of that folder.
MODULES = {
    "local-socket": ("sockets", "sockets"),
    "unix": ("sockets", "sockets"),
    "tcp": ("sockets", "sockets"),
    "fifo": ("pipes", "fifo"),
    "python-connection": ("python-connection", "python_connection"),
    "python-connection/tcp": ("python-connection", "python_connection"),
    "zeromq/dealer-router": ("zeromq", "zeromq"),
    "zeromq/req-rep": ("zeromq", "zeromq"),
    "zeromq/tcp": ("zeromq", "zeromq"),
    "zeromq/pub-sub": ("zeromq", "zeromq_pub_sub"),
    "zeromq/pub-sub-drop": ("zeromq", "zeromq_pub_sub"),
    "grpc/unary": ("grpc", "grpc_calls"),
    "grpc/stream": ("grpc", "grpc_calls"),
    "file-drop/watch": ("file-drop", "file_drop"),
    "file-drop/poll": ("file-drop", "file_drop"),
    "posix-mq": ("message-queues", "posix_mq"),
    "shm/semaphore": ("shared-memory", "rings"),
    "mmap/semaphore": ("shared-memory", "rings"),
}
# Module of the client, if it is another one. Publishing mechanisms have no client here.
CLIENT_MODULES = {
    "file-drop/watch": "drop_connect",
    "file-drop/poll": "drop_connect",
    "shm/semaphore": "ring_client",
    "mmap/semaphore": "ring_client",
}
OTHER_INTERPRETERS = ["/usr/bin/python3", "/usr/local/bin/python3", "/opt/homebrew/bin/python3"]
REMEDIES = {"zmq": "install python3-zmq or pyzmq", "grpc": "install python3-grpcio or grpcio"}


def find_interpreter():
    """Continues under another interpreter if this one lacks the module of `--needs`. The process id stays the same."""
    if "--needs" not in sys.argv:
        return
    name = sys.argv[sys.argv.index("--needs") + 1]
    try:
        importlib.import_module(name)
        return
    except ImportError:
        pass
    for path in OTHER_INTERPRETERS:
        if os.path.realpath(path) == os.path.realpath(sys.executable) or not os.path.exists(path):
            continue
        question = [path, "-c", "import " + name]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if subprocess.call(question, **quiet) == 0:
            os.execv(path, [path] + sys.argv)


def load(transport):
    """Imports the server half of a transport: `listen(address, key, program)`."""
    if transport not in MODULES:
        raise IpcError("IPC_UNSUPPORTED", "%s has no server written in Python" % transport)
    return _import(transport, MODULES[transport][1])


def load_client(transport):
    """Imports the client half: `connect(address, key)`, whose result has `send`, `receive` and `close`."""
    name = CLIENT_MODULES.get(transport, MODULES.get(transport, ("", ""))[1])
    module = _import(transport, name) if name else None
    if not hasattr(module, "connect"):
        raise IpcError("IPC_UNSUPPORTED", "%s has no client written in Python" % transport)
    return module


def _import(transport, name):
    """Imports a module. If it is not installed, raises IPC_SHORTAGE with the remedy."""
    sys.path.insert(1, os.path.join(TRANSPORTS, MODULES[transport][0], "python"))
    try:
        return importlib.import_module(name)
    except ImportError as error:
        remedy = REMEDIES.get((error.name or "").split(".")[0], "install it")
        text = "%s: %s, for %s %s; %s" % (transport, error, sys.executable, platform.python_version(), remedy)
        raise IpcError("IPC_SHORTAGE", text)
