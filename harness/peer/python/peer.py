"""A peer (server process) in Python, for every mechanism it can speak: the counterpart of harness/peer/main.ts.

The control channel is JSON lines on stdin and stdout: a start line in, a ready line out, a stop line in, a done line
out; harness/process/messages.ts defines them. Runs on Python 3.6 and later with only the standard library. `--needs
MODULE` looks for an interpreter that has MODULE as well (pyzmq is often installed for only one of several).
"""

import base64
import importlib
import os
import platform
import signal
import subprocess
import sys
import threading

TRANSPORTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "transports")
sys.path.insert(1, os.path.join(TRANSPORTS, "support", "python"))

import control  # noqa: E402
from failures import IpcError, code_of  # noqa: E402
from program import EchoProgram  # noqa: E402

# The Python half of each mechanism: its folder below transports, and its module in the folder's `python`.
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
    "file-drop/watch": ("file-drop", "file_drop"),
    "file-drop/poll": ("file-drop", "file_drop"),
    "posix-mq": ("message-queues", "posix_mq"),
    "shm/semaphore": ("shared-memory", "rings"),
    "mmap/semaphore": ("shared-memory", "rings"),
}
OTHER_INTERPRETERS = ["/usr/bin/python3", "/usr/local/bin/python3", "/opt/homebrew/bin/python3"]
START_LIMIT_S = 20


class Stopped(Exception):
    """Raised by SIGTERM or SIGINT."""


def stop_on_signal(_number, _frame):
    raise Stopped()


def find_module(name):
    """Continues under another interpreter when this one lacks the module; the process id stays."""
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


def allowed_cpus():
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("Cpus_allowed_list:"):
                    return line.split()[1]
    except OSError:
        pass
    return None


def listen(start, program):
    transport = start["transport"]["id"]
    if transport not in MODULES:
        raise IpcError("IPC_UNSUPPORTED", "%s has no peer written in Python" % transport)
    try:
        family, name = MODULES[transport]
        sys.path.insert(1, os.path.join(TRANSPORTS, family, "python"))
        module = importlib.import_module(name)
    except ImportError as error:
        why = "%s: %s, for %s %s" % (transport, error, sys.executable, platform.python_version())
        raise IpcError("IPC_UNSUPPORTED", why + "; for ZeroMQ install python3-zmq or pyzmq")
    key = base64.b64decode(start["key"]) if start.get("key") is not None else None
    return module.listen(start["address"], key, program)


def announce(address):
    control.say(
        type="ready",
        pid=os.getpid(),
        address=address,
        language="python",
        version=platform.python_version(),
        cpus=allowed_cpus(),
    )


def serve(channel):
    start = channel.take(START_LIMIT_S)
    if start is None or start.get("type") != "start":
        raise IpcError("IPC_MALFORMED", "the first line must be a start line")
    program = EchoProgram(on_stream=lambda report: control.say(**report), on_shutdown=channel.end)
    channel.on("report-usage", lambda _: control.say(type="usage", **program.usage()))
    channel.on("report-stream", lambda _: control.say(**program.take_stream()))
    channel.on("publish", lambda request: program.publish(request, lambda answer: control.say(**answer)))
    server = listen(start, program)
    try:
        announce(server.address)
        while True:
            message = channel.take(None)
            if message is None or message.get("type") == "stop":
                return
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        server.close()


def main():
    if "--needs" in sys.argv:
        find_module(sys.argv[sys.argv.index("--needs") + 1])
    signal.signal(signal.SIGTERM, stop_on_signal)
    signal.signal(signal.SIGINT, stop_on_signal)
    channel = control.Channel()
    try:
        serve(channel)
    except Stopped:
        pass
    except Exception as error:
        control.say(type="failed", code=code_of(error), message="%s: %s" % (type(error).__name__, error))
        leave(1)
    control.say(type="done")
    leave(0)


def leave(code):
    """Exits without waiting for threads that sleep in a system call."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    threading.current_thread().name = "control"
    main()
