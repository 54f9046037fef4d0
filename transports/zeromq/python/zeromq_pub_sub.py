"""`zeromq/pub-sub`, `zeromq/pub-sub-drop`: an XPUB to publish, a SUB to receive, as in transports/zeromq/pub-sub.ts."""

import time

import zmq

import paths
from zeromq import LINGER_MS, HIGH_WATER_MARK, SEND_LIMIT_MS, SocketThread, is_question, limit_messages

SUBSCRIBE = 1
# Wait after the last subscriber has left, s: its last messages may still be in the other socket.
QUIET_S = 0.05


class Distributor:
    """The only connection. It stands for all clients, because subscribers have no names."""

    def __init__(self, server):
        self._server = server

    def send(self, message):
        return self._server.send(message)

    def later(self, delay_s, action):
        self._server.later(delay_s, action)


class PubSubServer(SocketThread):
    def __init__(self, context, publisher, subscriber, address, path_names, program):
        self.address = address
        self._context = context
        self._publisher = publisher
        self._subscriber = subscriber
        self._paths = path_names
        self._program = program
        self._subscribers = 0
        self._connection = None
        self._heard = 0.0
        super().__init__({publisher: self._subscription, subscriber: self._publication})

    def _subscription(self):
        message = self._publisher.recv()
        if len(message) > 1:
            # An answer to a farewell, which this server does not send.
            return
        joined = message[0] == SUBSCRIBE
        self._subscribers = max(0, self._subscribers + (1 if joined else -1))
        if joined:
            self._opened()
        elif self._subscribers == 0:
            self._end_when_quiet()

    def _publication(self):
        message, *rest = self._subscriber.recv_multipart()
        if rest and is_question(message, rest[0]):
            # A subscriber answers by subscribing to the question: transports/zeromq/pub-sub.ts.
            self._subscriber.setsockopt(zmq.SUBSCRIBE, rest[0])
            self._subscriber.setsockopt(zmq.UNSUBSCRIBE, rest[0])
            return
        self._heard = time.monotonic()
        self._program.message(self._opened(), message)

    def _opened(self):
        if self._connection is None:
            self._connection = Distributor(self)
            self._program.opened(self._connection)
            if self._subscribers == 0:
                self._end_when_quiet()
        return self._connection

    def _end_when_quiet(self):
        def look():
            if self._subscribers > 0 or self._connection is None:
                return
            if time.monotonic() - self._heard < QUIET_S:
                self._end_when_quiet()
                return
            connection, self._connection = self._connection, None
            self._program.closed(connection)

        self.later(QUIET_S, look)

    def send(self, message):
        """Sends, from the serving thread only."""
        try:
            self._publisher.send(message)
            return True
        except zmq.ZMQError:
            # A subscriber did not read for SEND_LIMIT_MS and loses the message, as with a plain PUB.
            return False

    def close(self):
        self.end()
        for path in self._paths:
            paths.remove(path)
        self._publisher.close(LINGER_MS)
        self._subscriber.close(0)
        self._context.term()


def listen(address, key, program):
    context = zmq.Context()
    publisher = context.socket(zmq.XPUB)
    # Report every subscription, also repeated ones to the same topic: they are counted here.
    publisher.setsockopt(zmq.XPUB_VERBOSER, 1)
    publisher.setsockopt(zmq.SNDTIMEO, SEND_LIMIT_MS)
    publisher.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
    if address["transport"] == "zeromq/pub-sub":
        publisher.setsockopt(zmq.XPUB_NODROP, 1)
    subscriber = context.socket(zmq.SUB)
    subscriber.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
    subscriber.setsockopt(zmq.SUBSCRIBE, b"")
    path_names = [address["name"], address["name"] + ".in"]
    for socket, path in zip([publisher, subscriber], path_names):
        limit_messages(socket)
        # When it binds, the library removes whatever is at the path, even the socket of a live server.
        paths.clear_stale(path)
        with paths.private():
            socket.bind("ipc://" + path)
    return PubSubServer(context, publisher, subscriber, address, path_names, program)
