"""Error codes of transports/contract/errors.ts that a peer in Python can report."""

import errno

CODES = {
    errno.EADDRINUSE: "IPC_ADDRESS_IN_USE",
    errno.EEXIST: "IPC_ADDRESS_IN_USE",
    errno.ECONNREFUSED: "IPC_PEER_LOST",
    errno.ECONNRESET: "IPC_PEER_LOST",
    errno.ENOENT: "IPC_PEER_LOST",
    errno.EPIPE: "IPC_PEER_LOST",
    errno.EDQUOT: "IPC_SHORTAGE",
    errno.EMFILE: "IPC_SHORTAGE",
    errno.ENFILE: "IPC_SHORTAGE",
    errno.ENOMEM: "IPC_SHORTAGE",
    errno.ENOSPC: "IPC_SHORTAGE",
}

MAX_MESSAGE_BYTES = 64 * 1024 * 1024


class IpcError(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def code_of(error):
    if isinstance(error, IpcError):
        return error.code
    return CODES.get(getattr(error, "errno", None), "IPC_SYSTEM")
