"""A measuring client in Python: the loops of ping-pong.ts and stream.ts (harness/driver/models), blocking.

Uses control lines on stdin and stdout: `start` in, `ready` out; for each `run` a `load-window`, for each `report-usage`
a `usages`; `stop` in, `done` out. harness/process/client-messages.ts defines them. All times are measured here, with
the CLOCK_MONOTONIC of this process.
"""

import base64
import json
import os
import random
import signal
import sys
import zlib
from array import array

import control
import frame
import halves
import usage
from failures import IpcError, code_of
from peer import announce, leave
from stream_counter import now_ns

START_LIMIT_S = 20
CONNECT_LIMIT_S = 10
LOOK_S = 0.5
# A missing reply counts as lost after this time, longer for large messages: harness/driver/models/model.ts.
LOST_AFTER_S = 2.0
SLOWEST_BYTES_PER_S = 5e6
VARIANTS, LARGE_BYTES = 4, 1024 * 1024


class Lost(Exception):
    """Raised in the loop, even inside a system call, when there was no progress for too long."""


class Watch:
    """Checks the progress of a loop twice a second, by a signal. A time limit for each message would cost a call."""

    def __init__(self):
        self.done = 0
        self._seen = -1
        self._still_s = 0.0
        self._limit_s = 0.0
        self._what = ""
        signal.signal(signal.SIGALRM, self._look)

    def begin(self, limit_s, what):
        self.done, self._seen, self._still_s = 0, -1, 0.0
        self._limit_s, self._what = limit_s, what
        signal.setitimer(signal.ITIMER_REAL, LOOK_S, LOOK_S)

    def end(self):
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _look(self, _number, _frame):
        self._still_s = self._still_s + LOOK_S if self.done == self._seen else 0.0
        self._seen = self.done
        if self._still_s >= self._limit_s:
            raise Lost("%s within %d ms" % (self._what, self._limit_s * 1000))


class Messages:
    """Bodies of one size, with checksums. They take turns, so that a mechanism which swaps or repeats them is found."""

    def __init__(self, size):
        variants = 2 if size > LARGE_BYTES else VARIANTS
        numbers = [random.Random(variant) for variant in range(variants)]
        bodies = [each.getrandbits(8 * size).to_bytes(size, "little") if size else b"" for each in numbers]
        self.size = size
        self.limit_s = LOST_AFTER_S + size / SLOWEST_BYTES_PER_S
        self._bodies = [(body, zlib.crc32(body)) for body in bodies]

    def body(self, index):
        return self._bodies[index % len(self._bodies)]


class Client:
    def __init__(self, connection):
        self._connection = connection
        self._watch = Watch()
        self._messages = Messages(0)
        self._number = 0

    def run(self, order):
        """Runs one window. Returns the `load-window` without usage."""
        size = order["payloadBytes"]
        if size != self._messages.size:
            self._messages = Messages(size)
        loop = self._ping_pong if order["model"] == "ping-pong" else self._stream
        window = {"lost": 0, "duplicated": 0, "reordered": 0, "corrupted": 0, "messages": 0}
        samples = array("d", bytes(8 * order["messages"] if order["model"] == "ping-pong" else 0))
        started = now_ns()
        try:
            window["corrupted"] = loop(order["messages"], samples)
        except (Lost, OSError, EOFError, IpcError, RuntimeError) as error:
            window.update(lost=1, problem=str(error) or type(error).__name__)
        finally:
            self._watch.end()
        ended = now_ns()
        window["messages"] = done = self._watch.done
        packed = samples[:done]
        if sys.byteorder == "big":
            packed.byteswap()
        window.update(type="load-window", startedNs=str(started), endedNs=str(ended))
        window["samples"] = base64.b64encode(packed.tobytes()).decode("ascii")
        return window

    def _ping_pong(self, count, samples):
        """Sends one request after the other. Verifies every byte of every reply inside the timed part."""
        watch, messages = self._watch, self._messages
        send, receive, pack, now = self._connection.send, self._connection.receive, frame.HEADER.pack, now_ns
        size, whole = messages.size, messages.size + frame.HEADER_BYTES
        number, corrupted = self._number, 0
        watch.begin(messages.limit_s, "a reply did not come")
        for done in range(count):
            body, crc = messages.body(done)
            number = (number + 1) & 0xFFFFFFFF
            sent = now()
            checksum = frame.bind_checksum(crc, number)
            send(pack(number, frame.REQUEST, frame.ECHO, 0, size, checksum) + body)
            reply = receive()
            header = pack(number, frame.REPLY, frame.ECHO, frame.OK, size, checksum)
            intact = len(reply) == whole and reply.startswith(header) and reply.endswith(body)
            samples[done] = now() - sent
            watch.done = done + 1
            if not intact:
                corrupted += 1
        self._number = number
        return corrupted

    def _stream(self, count, _samples):
        """Sends one-way messages as fast as they are taken. The receiver verifies them and stops the clock."""
        watch, messages = self._watch, self._messages
        send, pack = self._connection.send, frame.HEADER.pack
        watch.begin(messages.limit_s, "no message was taken")
        for sent in range(count):
            body, crc = messages.body(sent)
            method = frame.STREAM_LAST if sent == count - 1 else 0
            send(pack(sent, frame.ONE_WAY, method, 0, messages.size, frame.bind_checksum(crc, sent)) + body)
            watch.done = sent + 1
        return 0

    def ask(self, method, body):
        """Makes a request outside a window. Returns the body of the reply."""
        self._number = (self._number + 1) & 0xFFFFFFFF
        checksum = frame.bind_checksum(zlib.crc32(body), self._number)
        self._watch.begin(LOST_AFTER_S, "a reply did not come")
        try:
            self._connection.send(
                frame.HEADER.pack(self._number, frame.REQUEST, method, 0, len(body), checksum) + body
            )
            return bytes(self._connection.receive()[frame.HEADER_BYTES:])
        finally:
            self._watch.end()

    def close(self, shutdown):
        """Ends the connection, and the server too if this connection is its only channel."""
        self._watch.begin(LOST_AFTER_S, "the connection did not end")
        if shutdown:
            self.ask(frame.SHUTDOWN, b"")
        self._connection.close()
        self._watch.end()


def open_client(channel):
    start = channel.take(START_LIMIT_S)
    if start is None or start.get("type") != "start":
        raise IpcError("IPC_MALFORMED", "the first line must be a start line")
    connect = halves.load_client(start["transport"]["id"]).connect
    key = base64.b64decode(start["key"]) if start.get("key") is not None else None
    usage.watch_garbage_collection()
    signal.signal(signal.SIGALRM, lambda _number, _frame: give_up_connecting())
    signal.setitimer(signal.ITIMER_REAL, CONNECT_LIMIT_S)
    client = Client(connect(start["address"], key))
    signal.setitimer(signal.ITIMER_REAL, 0)
    announce(start["address"])
    return client


def give_up_connecting():
    raise IpcError("IPC_TIMEOUT", "the connection was not open within %d s" % CONNECT_LIMIT_S)


def own_usage():
    return dict(usage.read_usage(), type="usage")


def measure(channel):
    client = open_client(channel)
    while True:
        message = channel.take(None)
        if message is None:
            return
        if message["type"] == "stop":
            client.close(message.get("shutdown") is True)
            return
        if message["type"] == "run":
            control.say(**dict(client.run(message), usage=own_usage()))
        elif message["type"] == "report-usage":
            server = None
            if message.get("server") is True:
                server = json.loads(client.ask(frame.USAGE, bytes([1 if message.get("hold") else 0])).decode())
            control.say(type="usages", own=own_usage(), server=server)


def main():
    halves.find_interpreter()
    signal.signal(signal.SIGTERM, lambda _number, _frame: os._exit(143))
    channel = control.Channel()
    try:
        measure(channel)
    except Exception as error:
        control.say(type="failed", code=code_of(error), message="%s: %s" % (type(error).__name__, error))
        leave(1)
    control.say(type="done")
    leave(0)


if __name__ == "__main__":
    main()
