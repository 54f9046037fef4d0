"""`zeromq/dealer-router`, `zeromq/req-rep` and `zeromq/tcp`: one ROUTER for all clients, as transports/zeromq/router.ts."""

import heapq
import itertools
import threading
import time

import zmq

from failures import MAX_MESSAGE_BYTES
from peer_transports import paths

HIGH_WATER_MARK = 64
# A client that takes nothing for so long loses the reply: the socket is one for all, and must not wait for ever.
SEND_LIMIT_MS = 1000
SLICE_MS = 100
LINGER_MS = 1000
JOIN_S = 2.0


class RouterConnection:
    """One client, known by its routing id; for REQ clients the envelope ends with a request id and an empty part."""

    def __init__(self, server, envelope):
        self._server = server
        self.envelope = envelope

    def send(self, message):
        self._server.send(self.envelope + [message])

    def later(self, delay_s, action):
        envelope = self.envelope

        def restored():
            before, self.envelope = self.envelope, envelope
            action()
            self.envelope = before

        self._server.later(delay_s, restored)


class RouterServer:
    def __init__(self, context, router, address, path, program):
        self.address = address
        self._context = context
        self._socket = router
        self._path = path
        self._program = program
        self._clients = {}
        self._due = []
        self._order = itertools.count()
        self._open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while self._open:
            if self._socket.poll(self._wait_ms()):
                self._take(self._socket.recv_multipart())
            while self._due and self._due[0][0] <= time.monotonic():
                heapq.heappop(self._due)[2]()

    def _wait_ms(self):
        if not self._due:
            return SLICE_MS
        return max(0, min(SLICE_MS, int((self._due[0][0] - time.monotonic()) * 1000) + 1))

    def _take(self, parts):
        body = parts.pop()
        client = self._clients.get(parts[0])
        if client is None:
            client = self._clients[parts[0]] = RouterConnection(self, parts)
            self._program.opened(client)
            # The library's probe: an empty message that says "here I am".
            if not body and len(parts) == 1:
                return
        client.envelope = parts
        self._program.message(client, body)

    def send(self, parts):
        """Only from the thread that serves: a ZeroMQ socket belongs to one."""
        try:
            self._socket.send_multipart(parts)
        except zmq.ZMQError:
            client = self._clients.pop(parts[0], None)
            if client is not None:
                self._program.closed(client)

    def later(self, delay_s, action):
        heapq.heappush(self._due, (time.monotonic() + delay_s, next(self._order), action))

    def close(self):
        self._open = False
        self._thread.join(JOIN_S)
        self._socket.close(LINGER_MS)
        if self._path is not None:
            paths.remove(self._path)
        self._context.term()


def listen(address, key, program):
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.setsockopt(zmq.ROUTER_MANDATORY, 1)
    router.setsockopt(zmq.SNDTIMEO, SEND_LIMIT_MS)
    router.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
    router.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
    router.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
    path = None
    if address["transport"] == "zeromq/tcp":
        host, port = paths.host_and_port(address["name"])
        router.bind("tcp://%s:%s" % (host, port or "*"))
        address = dict(address, name=router.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()[len("tcp://"):])
    else:
        path = address["name"]
        # The library removes whatever is at the path that it binds, a live server's socket too.
        paths.clear_stale(path)
        with paths.private():
            router.bind("ipc://" + path)
    return RouterServer(context, router, address, path, program)
