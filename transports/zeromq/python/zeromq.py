"""`zeromq/dealer-router`, `zeromq/req-rep`, `zeromq/tcp`: one ROUTER, as in transports/zeromq/router.ts."""

import heapq
import itertools
import os
import threading
import time

import zmq
from zmq.utils.monitor import recv_monitor_message

from failures import MAX_MESSAGE_BYTES
import paths

HIGH_WATER_MARK = 64
# A client that reads nothing for this time loses the reply: all clients share the socket, which must not block.
SEND_LIMIT_MS = 1000
SLICE_MS = 100
# Largest number of messages taken between the end of a client and its removal: others may send without a pause.
LEFT_MESSAGES = 2 * HIGH_WATER_MARK
LINGER_MS = 1000
# A control message has two parts, this mark and its body: transports/zeromq/farewell.ts.
FAREWELL = b"\0ipcmark farewell\0"
FAREWELL_BODY_BYTES = 9
ASK, ANSWER = b"\1", b"\2"
JOIN_S = 2.0


class RouterConnection:
    """One client, with its routing id. For REQ clients the envelope ends with a request id and an empty part."""

    def __init__(self, server, envelope, descriptor):
        self._server = server
        self.envelope = envelope
        self.descriptor = descriptor

    def send(self, message):
        return self._server.send(self.envelope + [message])

    def later(self, delay_s, action):
        envelope = self.envelope

        def restored():
            before, self.envelope = self.envelope, envelope
            action()
            self.envelope = before

        self._server.later(delay_s, restored)


class SocketThread:
    """Owns the ZeroMQ socket, which belongs to one thread. `takers`: functions to call when a socket has something."""

    def __init__(self, takers):
        self._takers = takers
        self._due = []
        self._order = itertools.count()
        self._open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        poller = zmq.Poller()
        for socket in self._takers:
            poller.register(socket, zmq.POLLIN)
        while self._open:
            for socket, _ in poller.poll(self._wait_ms()):
                self._takers[socket]()
            while self._due and self._due[0][0] <= time.monotonic():
                heapq.heappop(self._due)[2]()

    def _wait_ms(self):
        if not self._due:
            return SLICE_MS
        return max(0, min(SLICE_MS, int((self._due[0][0] - time.monotonic()) * 1000) + 1))

    def later(self, delay_s, action):
        """Schedules an action, from any thread; other threads' actions start within SLICE_MS."""
        heapq.heappush(self._due, (time.monotonic() + delay_s, next(self._order), action))

    def end(self):
        self._open = False
        self._thread.join(JOIN_S)


class RouterServer(SocketThread):
    def __init__(self, context, router, address, path, program):
        self.address = address
        self._context = context
        self._socket = router
        self._path = path
        self._program = program
        self._clients = {}
        self._reused = {}
        self._ends = router.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        super().__init__({router: self._take, self._ends: self._forget_lost})

    def _take(self):
        name = self._socket.recv()
        client = self._clients.get(name)
        if client is None:
            # The descriptor identifies a new client too, because the monitor announces its end with the descriptor.
            first = self._socket.recv(copy=False)
            parts = [name, first.bytes]
            descriptor = descriptor_of(first)
            self._forget_reused(descriptor)
            client = self._clients[name] = RouterConnection(self, parts[:1], descriptor)
            self._program.opened(client)
            # The library's probe: an empty message that announces a client.
            if not parts[1] and not self._socket.rcvmore:
                return
        else:
            parts = [name, self._socket.recv()]
        while self._socket.rcvmore:
            parts.append(self._socket.recv())
        body = parts.pop()
        if is_question(parts[-1], body):
            # Everything before it has been handled by now.
            client.envelope = parts[:-1]
            self.send(parts + [ANSWER + body[1:]])
            return
        client.envelope = parts
        self._program.message(client, body)

    def _forget_lost(self):
        """Handles the end of a client. The monitor reports its descriptor; only draft builds of libzmq name it."""
        descriptor = recv_monitor_message(self._ends)["value"]
        if self._reused.get(descriptor, 0) > 0:
            self._reused[descriptor] -= 1
            return
        lost = [name for name, client in self._clients.items() if client.descriptor == descriptor]
        # Messages that they sent before their end must still be taken.
        for _ in range(LEFT_MESSAGES):
            if not self._socket.poll(0):
                break
            self._take()
        for name in lost:
            self._forget(name)

    def _forget_reused(self, descriptor):
        """Removes old clients that had the descriptor of a new one. Their announced end is not that of the new one."""
        if descriptor is None:
            return
        for name in [name for name, client in self._clients.items() if client.descriptor == descriptor]:
            self._reused[descriptor] = self._reused.get(descriptor, 0) + 1
            self._forget(name)

    def _forget(self, name):
        client = self._clients.pop(name, None)
        if client is not None:
            self._program.closed(client)

    def send(self, parts):
        """Sends, from the serving thread only. Returns False if the client is gone or does not read."""
        try:
            self._socket.send_multipart(parts)
            return True
        except zmq.ZMQError:
            self._forget(parts[0])
            return False

    def close(self):
        self.end()
        self._socket.disable_monitor()
        self._ends.close(0)
        self._socket.close(LINGER_MS)
        if self._path is not None:
            paths.remove(self._path)
        self._context.term()


def is_question(mark, body):
    return mark == FAREWELL and len(body) == FAREWELL_BODY_BYTES and body[:1] == ASK


def descriptor_of(received):
    """Returns the descriptor of the message's connection; None for peers whose protocol version has no properties."""
    try:
        return received.get(zmq.SRCFD)
    except zmq.ZMQError:
        return None


def limit_messages(socket):
    socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)


def listen(address, key, program):
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.setsockopt(zmq.ROUTER_MANDATORY, 1)
    router.setsockopt(zmq.SNDTIMEO, SEND_LIMIT_MS)
    router.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
    router.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
    limit_messages(router)
    path = None
    if address["transport"] == "zeromq/tcp":
        host, port = paths.host_and_port(address["name"])
        router.bind("tcp://%s:%s" % (host, port or "*"))
        address = dict(address, name=router.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()[len("tcp://"):])
    else:
        path = address["name"]
        # When it binds, the library removes whatever is at the path, even the socket of a live server.
        paths.clear_stale(path)
        with paths.private():
            router.bind("ipc://" + path)
    return RouterServer(context, router, address, path, program)


class SocketClient:
    """A DEALER or REQ. A message of an application never equals the mark of a farewell: its fifth byte is 1 to 3."""

    def __init__(self, context, socket):
        self._context = context
        self._socket = socket
        self.send = socket.send

    def receive(self):
        while True:
            message = self._socket.recv()
            if message != FAREWELL:
                return message
            body = self._socket.recv()
            if body[:1] == ASK:
                self._socket.send_multipart([FAREWELL, ANSWER + body[1:]])
            else:
                return None

    def close(self):
        """Asks the server to confirm that it has read everything, as transports/zeromq/farewell.ts does."""
        self._socket.setsockopt(zmq.RCVTIMEO, LINGER_MS)
        self._socket.send_multipart([FAREWELL, ASK + os.urandom(FAREWELL_BODY_BYTES - 1)])
        try:
            while self.receive() is not None:
                pass
        except zmq.Again:
            pass
        self._socket.close(0)
        self._context.term()


def connect(address, key):
    context = zmq.Context()
    if address["transport"] == "zeromq/req-rep":
        socket = context.socket(zmq.REQ)
        # Otherwise every send after a request without a reply fails, and a late reply is taken for the next one.
        socket.setsockopt(zmq.REQ_RELAXED, 1)
        socket.setsockopt(zmq.REQ_CORRELATE, 1)
    else:
        socket = context.socket(zmq.DEALER)
        socket.setsockopt(zmq.PROBE_ROUTER, 1)
    socket.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
    socket.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
    limit_messages(socket)
    scheme = "tcp://" if address["transport"] == "zeromq/tcp" else "ipc://"
    socket.connect(scheme + address["name"])
    return SocketClient(context, socket)
