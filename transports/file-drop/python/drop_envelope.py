"""A message on disk as JSON, as in transports/file-drop/envelope.ts."""

import base64
import json
import uuid

from failures import IpcError


def encode(message, client, sequence, reply_to=None):
    envelope = {"id": str(uuid.uuid4()), "client": client, "sequence": sequence}
    if reply_to is not None:
        envelope["replyTo"] = reply_to
    try:
        envelope["text"] = bytes(message).decode("utf-8")
    except UnicodeDecodeError:
        envelope["base64"] = base64.b64encode(message).decode("ascii")
    # Keeps text readable. Half a surrogate pair in the id of a client has no UTF-8, so it stays escaped.
    return (json.dumps(envelope, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def decode(content, client, sequence, path):
    """Returns the id and the body. Raises an error if the file is no envelope, or is that of another message."""
    envelope = json.loads(content.decode("utf-8"))
    message_id, text = envelope["id"], envelope.get("text")
    if envelope["client"] != client or envelope["sequence"] != sequence or not isinstance(message_id, str):
        raise IpcError("IPC_MALFORMED", path)
    if ("text" in envelope) == ("base64" in envelope):
        raise IpcError("IPC_MALFORMED", path)
    if "base64" in envelope:
        return message_id, base64.b64decode(envelope["base64"], validate=True)
    if not isinstance(text, str):
        raise IpcError("IPC_MALFORMED", path)
    return message_id, text.encode("utf-8")
