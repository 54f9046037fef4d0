"""`grpc/unary` and `grpc/stream`: real grpcio. The service is that of transports/grpc/service.ts, without protobuf."""

import queue
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import grpc

from failures import MAX_MESSAGE_BYTES, IpcError
import paths

SERVICE = "ipcmark.Messages"
# Each call has a thread until its reply, each stream for its life. The pool starts them on demand.
MOST_THREADS = 1100
SHUTDOWN_S = 1.0
CONNECT_S = 5.0
# Largest number of replies of a call that the library has not taken, and of messages that a client may send ahead.
MOST_UNTAKEN = 16
MOST_AHEAD = 16


class Call:
    """One call as a connection. The thread of the call takes its replies."""

    def __init__(self):
        self._replies = deque()
        self._changed = threading.Condition()
        self._open = True

    def send(self, message):
        """Waits while too many replies are not taken, so a client that reads nothing cannot send more either."""
        with self._changed:
            while self._open and len(self._replies) >= MOST_UNTAKEN:
                self._changed.wait()
            if self._open:
                self._replies.append(bytes(message))
                self._changed.notify_all()

    def end(self):
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def take(self):
        """Returns the next reply; None when the call or the server has ended."""
        with self._changed:
            while self._open and not self._replies:
                self._changed.wait()
            reply = self._replies.popleft() if self._replies else None
            self._changed.notify_all()
            return reply


class Stream(Call):
    """One streaming call. One thread reads, so that the other can also send messages that answer no request."""

    def __init__(self, program, requests):
        super().__init__()
        self._program = program
        self._requests = requests
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for message in self._requests:
                self._program.message(self, message)
        except grpc.RpcError:
            pass
        finally:
            self.end()


class GrpcServer:
    def __init__(self, address, program):
        self.address = address
        self._program = program
        self._open = set()
        limit = (address.get("options") or {}).get("maxMessageBytes", MAX_MESSAGE_BYTES)
        self._server = grpc.server(ThreadPoolExecutor(MOST_THREADS), options=limits(limit))
        handlers = {
            "Call": grpc.unary_unary_rpc_method_handler(self._call),
            "Stream": grpc.stream_stream_rpc_method_handler(self._stream),
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        with paths.private():
            self._server.add_insecure_port("unix:" + address["name"])
            self._server.start()

    def _begin(self, connection, context):
        self._open.add(connection)
        self._program.opened(connection)

        def over():
            connection.end()
            self._open.discard(connection)
            self._program.closed(connection)

        if not context.add_callback(over):
            over()

    def _call(self, message, context):
        call = Call()
        self._begin(call, context)
        self._program.message(call, message)
        reply = call.take()
        if reply is None:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the server is closing")
        return reply

    def _stream(self, requests, context):
        stream = Stream(self._program, requests)
        self._begin(stream, context)
        return iter(stream.take, None)

    def close(self):
        deadline = time.monotonic() + SHUTDOWN_S
        for connection in list(self._open):
            connection.end()
        # The farewell of the server ends the connections of clients, and may overtake a reply on its way.
        while self._open and time.monotonic() < deadline:
            time.sleep(0.002)
        self._server.stop(SHUTDOWN_S).wait(2 * SHUTDOWN_S)
        paths.remove(self.address["name"])


def limits(receive):
    """Returns the limits of messages. By default the library receives at most 4 MiB; more ends a call with status 8."""
    return [("grpc.max_receive_message_length", receive), ("grpc.max_send_message_length", -1)]


def listen(address, key, program):
    # The library removes nothing at the path that it binds, and reports no reason when something is there.
    paths.clear_stale(address["name"])
    return GrpcServer(address, program)


class UnaryClient:
    """Makes a call for each message. The library makes it when the client waits for the reply."""

    def __init__(self, channel):
        self._call = channel.unary_unary("/%s/Call" % SERVICE)
        self._message = None
        self.close = channel.close

    def send(self, message):
        self._message = message

    def receive(self):
        return self._call(self._message)


class StreamClient:
    """Sends and receives over one streaming call."""

    def __init__(self, channel):
        self._channel = channel
        self._ahead = queue.Queue(MOST_AHEAD)
        self.send = self._ahead.put
        self._replies = channel.stream_stream("/%s/Stream" % SERVICE)(iter(self._ahead.get, None))

    def receive(self):
        return next(self._replies)

    def close(self):
        self._ahead.put(None)
        for _ in self._replies:
            pass
        self._channel.close()


def connect(address, key):
    channel = grpc.insecure_channel("unix:" + address["name"], options=limits(MAX_MESSAGE_BYTES))
    try:
        grpc.channel_ready_future(channel).result(CONNECT_S)
    except grpc.FutureTimeoutError:
        raise IpcError("IPC_PEER_LOST", "nobody listens at %s" % address["name"])
    return UnaryClient(channel) if address["transport"] == "grpc/unary" else StreamClient(channel)
