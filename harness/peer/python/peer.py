"""A peer (server process) in Python, for every mechanism with a Python half: the counterpart of harness/peer/main.ts.

The control channel is JSON lines on stdin and stdout: a start line in, a ready line out, a stop line in, a done line
out; harness/process/messages.ts defines them. Runs on Python 3.6 and later with only the standard library. With
`--needs MODULE` it looks for an interpreter that has MODULE (pyzmq is often installed for only one of several).
"""

import base64
import os
import platform
import signal
import sys
import threading

import control
import halves
from failures import IpcError, code_of
from program import EchoProgram

START_LIMIT_S = 20


class Stopped(Exception):
    """Raised by SIGTERM or SIGINT."""


def stop_on_signal(_number, _frame):
    raise Stopped()


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
    key = base64.b64decode(start["key"]) if start.get("key") is not None else None
    return halves.load(start["transport"]["id"]).listen(start["address"], key, program)


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
    halves.find_interpreter()
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
    """Exits at once, without waiting for threads that sleep in a system call."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    threading.current_thread().name = "control"
    main()
