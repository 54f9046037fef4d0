"""The echo server: answers requests, counts one-way messages. Counterpart of harness/peer/event-server.ts.

A transport calls `opened`, `message` and `closed`, from any thread. A connection offers `send(message)`, which may be
called from any thread, may wait, and ignores a lost client.
"""

import json
import os
import signal
import threading

import frame
import usage
import work
from publication import Publication
from stream_counter import StreamCounter

# A stream without progress for this time is over: its last message was lost.
STREAM_QUIET_S = 1.0


class EchoProgram:
    def __init__(self, on_stream, on_shutdown):
        self._on_stream = on_stream
        self._on_shutdown = on_shutdown
        self._lock = threading.Lock()
        # In the order of their arrival; the values are unused.
        self._clients = {}
        self._stream = StreamCounter()
        self._quiet = None
        self._closing = False
        self._pending = 0
        self._requests = 0
        usage.watch_garbage_collection()

    def usage(self):
        return usage.read_usage()

    def opened(self, connection):
        with self._lock:
            self._clients[connection] = True

    def closed(self, connection):
        with self._lock:
            self._clients.pop(connection, None)

    def publish(self, request, on_done):
        """Sends to all clients except the first, the driver's. A mechanism that distributes has only one connection."""
        with self._lock:
            clients = list(self._clients)
        chosen = clients[:1] if request["distribution"] == "transport" else clients[1:]
        publication = Publication(chosen, request["messages"], request["payloadBytes"])
        threading.Thread(target=lambda: on_done(publication.run(self.later)), daemon=True).start()

    def message(self, connection, message):
        self._requests += 1
        kind = message[4] if len(message) >= frame.HEADER_BYTES else 0
        if kind == frame.REQUEST:
            self._answer(connection, message)
        elif kind == frame.ONE_WAY:
            self._count(message)

    def _answer(self, connection, request):
        method = request[5]
        if not frame.arrived_intact(request):
            self._send(connection, frame.build_reply(request, frame.CORRUPT, b""))
        elif self._closing:
            self._send(connection, frame.build_reply(request, frame.CLOSING, b""))
        elif method == frame.ECHO:
            connection.send(frame.as_reply(request, frame.OK))
        else:
            self._other(connection, request, method)

    def _other(self, connection, request, method):
        if method == frame.ECHO_LATER:
            self._send_later(connection, request)
        elif method == frame.WORK:
            work.work(frame.leading_number(request))
            connection.send(frame.as_reply(request, frame.OK))
        elif method == frame.CRASH:
            os.kill(os.getpid(), signal.SIGKILL)
        elif method == frame.SHUTDOWN:
            self._closing = True
            self._send(connection, frame.build_reply(request, frame.OK, b""))
        elif method == frame.STATISTICS:
            statistics = usage.read_statistics(self._requests, len(self._clients))
            self._send(connection, frame.build_reply(request, frame.OK, json.dumps(statistics).encode()))
        elif method == frame.USAGE:
            self._send(connection, frame.build_reply(request, frame.OK, json.dumps(usage.read_usage()).encode()))
        elif method != frame.IGNORE:
            self._send(connection, frame.build_reply(request, frame.UNKNOWN_METHOD, b""))

    def _send(self, connection, reply):
        connection.send(reply)
        self._finish_if_idle()

    def _send_later(self, connection, request):
        delay_ms = frame.leading_number(request)
        reply = frame.as_reply(request, frame.OK)
        with self._lock:
            self._pending += 1

        def send():
            connection.send(reply)
            with self._lock:
                self._pending -= 1
            self._finish_if_idle()

        self.later(connection, delay_ms / 1000, send)

    def later(self, connection, delay_s, action):
        """Schedules an action. A transport whose sockets belong to one thread has its own timers."""
        own = getattr(connection, "later", None)
        if own is not None:
            own(delay_s, action)
            return
        timer = threading.Timer(delay_s, action)
        timer.daemon = True
        timer.start()

    def _finish_if_idle(self):
        with self._lock:
            idle = self._closing and self._pending == 0
        if idle:
            self._on_shutdown()

    def _count(self, message):
        with self._lock:
            if self._stream.count(message):
                self._stop_quiet_timer()
                report = self._stream.take()
            else:
                if self._quiet is None:
                    self._watch_quiet(self._requests)
                return
        self._on_stream(report)

    def _watch_quiet(self, mark):
        self._quiet = threading.Timer(STREAM_QUIET_S, self._end_quiet_stream, [mark])
        self._quiet.daemon = True
        self._quiet.start()

    def _stop_quiet_timer(self):
        if self._quiet is not None:
            self._quiet.cancel()
            self._quiet = None

    def _end_quiet_stream(self, mark):
        with self._lock:
            self._quiet = None
            if not self._stream.active:
                return
            if self._requests != mark:
                self._watch_quiet(self._requests)
                return
            report = self._stream.take()
        self._on_stream(report)

    def take_stream(self):
        with self._lock:
            return self._stream.take()
