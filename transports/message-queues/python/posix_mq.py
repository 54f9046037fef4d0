"""`posix-mq`: mq_* by ctypes. The protocol is that of transports/message-queues/protocol.ts.

A message is u8 kind, u8 version, u16 slot, u32 token, then content. A client makes a reply queue `<name>-<slot>` and
sends a hello on the request queue. The server sends a welcome on the reply queue, and the name of the queue is removed.
Each side locks the queue from which it receives, which shows the other side that it lives.
"""

import ctypes
import ctypes.util
import errno
import fcntl
import heapq
import itertools
import os
import random
import struct
import threading
import time

from failures import IpcError
from locks import is_owned

PREFIX = struct.Struct("<BBHI")
VERSION = 1
DATA, HELLO, WELCOME, REFUSAL, BYE = 1, 2, 3, 4, 5
MOST_BYTES = 8192
REQUEST_DEPTH = 10
REPLY_DEPTH = 4
MOST_CLIENTS = 16
SLICE_S = 0.05
CONNECT_S = 5.0
JOIN_S = 2.0


class Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


class Attributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_long) for name in ("flags", "max_messages", "message_bytes", "current")] + [
        ("reserved", ctypes.c_long * 4)
    ]


def _library():
    # Part of libc since glibc 2.34, of librt before.
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "mq_open"):
        libc = ctypes.CDLL(ctypes.util.find_library("rt"), use_errno=True)
    libc.mq_timedreceive.restype = ctypes.c_ssize_t
    libc.mq_timedreceive.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p]
    libc.mq_timedsend.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_void_p]
    return libc


_libc = _library()


def _failed(call, name):
    number = ctypes.get_errno()
    raise OSError(number, "%s(%s): %s" % (call, name, os.strerror(number)))


def _limit(name, otherwise):
    try:
        with open("/proc/sys/fs/mqueue/" + name) as file:
            return int(file.read())
    except OSError:
        return otherwise


def _deadline(seconds):
    at = time.time() + seconds
    return Timespec(int(at), int((at % 1) * 1e9))


class Queue:
    def __init__(self, name, flags, attributes=None):
        pointer = ctypes.byref(attributes) if attributes is not None else None
        self.descriptor = _libc.mq_open(name.encode(), os.O_RDWR | flags, 0o600, pointer)
        if self.descriptor < 0:
            _failed("mq_open", name)
        shape = Attributes()
        _libc.mq_getattr(self.descriptor, ctypes.byref(shape))
        self.message_bytes = shape.message_bytes
        self._buffer = ctypes.create_string_buffer(shape.message_bytes)

    def send(self, message, seconds):
        """Sends one message. Returns False if there was no space in time."""
        deadline = _deadline(seconds)
        while _libc.mq_timedsend(self.descriptor, message, len(message), 0, ctypes.byref(deadline)) != 0:
            if ctypes.get_errno() in (errno.ETIMEDOUT, errno.EAGAIN):
                return False
            if ctypes.get_errno() != errno.EINTR:
                _failed("mq_timedsend", self.descriptor)
        return True

    def receive(self, seconds):
        """Receives one message. Returns None if nothing came in time."""
        deadline = _deadline(seconds)
        while True:
            length = _libc.mq_timedreceive(
                self.descriptor, self._buffer, self.message_bytes, None, ctypes.byref(deadline)
            )
            if length >= 0:
                return self._buffer.raw[:length]
            if ctypes.get_errno() == errno.ETIMEDOUT:
                return None
            if ctypes.get_errno() != errno.EINTR:
                _failed("mq_timedreceive", self.descriptor)

    def is_owned(self):
        """Returns True while a process holds the exclusive lock through another descriptor of the same queue."""
        return is_owned(self.descriptor)

    def close(self):
        os.close(self.descriptor)


def unlink(name):
    _libc.mq_unlink(name.encode())


class QueueConnection:
    def __init__(self, server, queue, slot, token):
        self._server = server
        self.queue = queue
        self.slot = slot
        self.token = token

    def say(self, kind, body=b"", seconds=0.0):
        return self.queue.send(PREFIX.pack(kind, VERSION, self.slot, self.token) + bytes(body), seconds)

    def send(self, message):
        while self._server.is_open:
            if self.say(DATA, message, SLICE_S) or not self.queue.is_owned():
                return

    def later(self, delay_s, action):
        self._server.later(delay_s, action)


class QueueServer:
    """Receives for all clients in one thread, as the blocking server of Node does."""

    def __init__(self, address, queue, program):
        self.address = address
        self.is_open = True
        self._requests = queue
        self._program = program
        self._clients = {}
        self._due = []
        self._order = itertools.count()
        self._housekept = time.monotonic()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while self.is_open:
            message = self._requests.receive(self._wait_s())
            if message is not None:
                self._take(message)
            while self._due and self._due[0][0] <= time.monotonic():
                heapq.heappop(self._due)[2]()
            if time.monotonic() - self._housekept > SLICE_S:
                self._housekeep()

    def _wait_s(self):
        if not self._due:
            return SLICE_S
        return max(0.0, min(SLICE_S, self._due[0][0] - time.monotonic()))

    def later(self, delay_s, action):
        heapq.heappush(self._due, (time.monotonic() + delay_s, next(self._order), action))

    def _take(self, message):
        if len(message) < PREFIX.size:
            return
        kind, version, slot, token = PREFIX.unpack_from(message)
        if version != VERSION:
            return
        if kind == HELLO and len(message) == PREFIX.size:
            self._welcome(slot, token)
            return
        client = self._clients.get(slot)
        if client is None or client.token != token:
            return
        if kind == BYE:
            self._forget(client)
        elif kind == DATA:
            self._program.message(client, message[PREFIX.size:])

    def _welcome(self, name_slot, token):
        name = "%s-%d" % (self.address["name"], name_slot)
        try:
            queue = Queue(name, 0)
        except OSError:
            return
        free = [number for number in range(MOST_CLIENTS) if number not in self._clients]
        client = QueueConnection(self, queue, free[0] if free else 0, token)
        fits = queue.message_bytes >= self._requests.message_bytes and queue.is_owned()
        if fits:
            unlink(name)
        if not fits or not free or not client.say(WELCOME):
            if fits:
                client.say(REFUSAL)
            queue.close()
            return
        self._clients[client.slot] = client
        self._program.opened(client)

    def _housekeep(self):
        self._housekept = time.monotonic()
        for client in list(self._clients.values()):
            if not client.queue.is_owned():
                self._forget(client)

    def _forget(self, client):
        del self._clients[client.slot]
        self._program.closed(client)
        client.queue.close()

    def close(self):
        self.is_open = False
        remove_names(self.address["name"])
        self._thread.join(JOIN_S)
        for client in list(self._clients.values()):
            client.say(BYE)
            self._forget(client)
        self._requests.close()


def remove_names(name):
    unlink(name)
    for slot in range(MOST_CLIENTS):
        unlink("%s-%d" % (name, slot))


def create(name, depth=REQUEST_DEPTH, message_bytes=None):
    attributes = Attributes()
    attributes.max_messages = min(depth, _limit("msg_max", depth))
    attributes.message_bytes = message_bytes or min(MOST_BYTES, _limit("msgsize_max", MOST_BYTES))
    queue = Queue(name, os.O_CREAT | os.O_EXCL, attributes)
    fcntl.flock(queue.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return queue


def listen(address, key, program):
    name = address["name"]
    try:
        return QueueServer(address, create(name), program)
    except FileExistsError:
        pass
    stale = Queue(name, 0)
    alive = stale.is_owned()
    stale.close()
    if alive:
        raise IpcError("IPC_ADDRESS_IN_USE", "a server is listening at %s" % name)
    remove_names(name)
    return QueueServer(address, create(name), program)


class QueueClient:
    """A client: sends to the server's queue and receives from its own."""

    def __init__(self, requests, replies, slot, token):
        self._requests = requests
        self._replies = replies
        self._prefix = PREFIX.pack(DATA, VERSION, slot, token)
        self._bye = PREFIX.pack(BYE, VERSION, slot, token)

    def send(self, message):
        message = self._prefix + message
        while not self._requests.send(message, SLICE_S):
            self._check_server()

    def receive(self):
        while True:
            message = self._replies.receive(SLICE_S)
            if message is None:
                self._check_server()
            elif message.startswith(self._prefix):
                return message[PREFIX.size:]
            else:
                raise EOFError("the server ended the connection")

    def _check_server(self):
        if not self._requests.is_owned():
            raise EOFError("the server is gone")

    def close(self):
        self._requests.send(self._bye, 0.0)
        self._requests.close()
        self._replies.close()


def connect(address, key):
    requests = Queue(address["name"], 0)
    replies, slot = reply_queue(address["name"], requests.message_bytes)
    token = random.randrange(1, 1 << 31)
    requests.send(PREFIX.pack(HELLO, VERSION, slot, token), CONNECT_S)
    welcome = replies.receive(CONNECT_S) or b""
    if len(welcome) < PREFIX.size or welcome[0] != WELCOME:
        unlink("%s-%d" % (address["name"], slot))
        raise IpcError("IPC_PEER_LOST", "the server at %s did not welcome this client" % address["name"])
    return QueueClient(requests, replies, PREFIX.unpack_from(welcome)[2], token)


def reply_queue(name, message_bytes):
    for slot in range(MOST_CLIENTS):
        try:
            return create("%s-%d" % (name, slot), REPLY_DEPTH, message_bytes), slot
        except FileExistsError:
            pass
    raise IpcError("IPC_TIMEOUT", "%d clients are connecting at this moment" % MOST_CLIENTS)
