"""`grpc/unary` and `grpc/stream`: real grpcio. The service is that of transports/grpc/service.ts, without protobuf."""

import queue
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc

from failures import MAX_MESSAGE_BYTES
import paths

SERVICE = "ipcmark.Messages"
# Each call has a thread until its reply, each stream for its life. The pool starts them on demand.
MOST_THREADS = 1100
SHUTDOWN_S = 1.0


class Call:
    """One unary call: a connection with one message in each direction."""

    def __init__(self):
        self._reply = queue.SimpleQueue()

    def send(self, message):
        self._reply.put(bytes(message))

    def end(self):
        self._reply.put(None)

    def take(self):
        """Returns the reply; None when the call or the server has ended before."""
        return self._reply.get()


class Stream(Call):
    """One streaming call. A thread reads, so that the other one can also send what no request has just asked for."""

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
        # The library's default for what it receives is 4 MiB; a larger message ends its call with status 8.
        options = [("grpc.max_receive_message_length", limit), ("grpc.max_send_message_length", -1)]
        self._server = grpc.server(ThreadPoolExecutor(MOST_THREADS), options=options)
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
        ended = self._server.stop(SHUTDOWN_S)
        for connection in list(self._open):
            connection.end()
        ended.wait(2 * SHUTDOWN_S)
        paths.remove(self.address["name"])


def listen(address, key, program):
    # The library removes nothing at the path that it binds, and reports no reason when something is there.
    paths.clear_stale(address["name"])
    return GrpcServer(address, program)
